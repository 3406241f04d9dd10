from pathlib import Path

import pytest

from tallystick.errors import UsageError
from tallystick.secrets import read_secret, read_secret_file, read_secret_text


def test_a_variable_goes_before_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"from a file\r\n")
    assert read_secret("KEY", {"KEY": "a", "KEY_FILE": str(file)}) == b"a"
    assert read_secret("KEY", {"KEY": "", "KEY_FILE": str(file)}) == b"from a file"
    assert read_secret("KEY", {}) is None
    assert read_secret_text("KEY", {"KEY_FILE": str(file)}) == "from a file"
    assert read_secret_file(file) == b"from a file"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "KEY_FILE names .*, which cannot be read: No such file"),
        (b"\n", "which is empty"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_a_file_without_a_secret_is_refused(tmp_path: Path, content: bytes | None, words: str) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=words):
        read_secret_text("KEY", {"KEY_FILE": str(file)})
