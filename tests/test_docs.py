"""What a new user reads is what they then see."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from tallystick.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_reference_is_what_the_code_says() -> None:
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "scripts" / "make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text(encoding="utf-8") == module.render(), "run scripts/make_reference.py"


def test_the_python_of_the_readme_runs_and_prints_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.split() == re.findall(r"print\(.*\)  # (.*)", code)


COMMANDS = re.findall(r"^(?:\$ )?(tallystick [a-z].*)$", README, re.M)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_readme_parses(line: str) -> None:
    verb, *rest = shlex.split(line, comments=True)[1:]
    command = get_command(app).commands[verb]  # type: ignore[attr-defined]
    command.make_context(verb, rest)


def test_the_readme_shows_the_verbs() -> None:
    shown = {shlex.split(line, comments=True)[1] for line in COMMANDS}
    assert {"demo", "validate", "train", "evaluate", "score"} <= shown


def test_every_dependency_has_its_reason() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    table = README[README.index("## Dependencies") : README.index("## Tests")]
    for requirement in project["dependencies"]:
        name = re.split(r"[><=; ]", requirement)[0]
        if name != "tzdata":  # time zones, which Windows lacks
            assert name in table, name


def test_links_of_the_readme_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
