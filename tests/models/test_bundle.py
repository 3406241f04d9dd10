import json
from pathlib import Path

import numpy as np
import pytest

from tallystick.errors import BundleError, UsageError
from tallystick.models import load, save

MANIFEST = {"solution": "complaints", "task": "product", "classes": ["a", "b"]}
ARRAYS = {"model/weights": np.arange(6.0).reshape(3, 2), "model/intercept": np.zeros(2)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(tmp_path / "product", MANIFEST, ARRAYS, "# Card\n")
    return tmp_path / "product"


def test_what_was_saved_is_loaded(folder: Path) -> None:
    bundle = load(folder)
    assert bundle.manifest["classes"] == ["a", "b"]
    assert bundle.card == "# Card\n"
    assert {k: v.tolist() for k, v in bundle.arrays.items()} == {k: v.tolist() for k, v in ARRAYS.items()}
    assert bundle.name.startswith("complaints/product@")


def test_same_content_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    save(tmp_path / "again", dict(reversed(MANIFEST.items())), dict(reversed(ARRAYS.items())), "# Card\n")
    assert _bytes(folder) == _bytes(tmp_path / "again")


def _bytes(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", ["manifest.json", "card.md", "model/weights.npy"])
def test_a_changed_file_is_refused_by_name(folder: Path, name: str) -> None:
    path = folder / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(BundleError, match=Path(name).name):
        load(folder)


@pytest.mark.parametrize("name", ["card.md", "model/intercept.npy"])
def test_a_missing_file_is_refused_by_name(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(BundleError, match=f"{name} is missing"):
        load(folder)


def test_a_foreign_file_is_refused_by_name(folder: Path) -> None:
    (folder / "model" / "notes.txt").write_text("hello")
    with pytest.raises(BundleError, match=r"model/notes\.txt is not in its manifest"):
        load(folder)


def test_a_pickled_array_is_refused_even_with_a_right_checksum(tmp_path: Path) -> None:
    folder = tmp_path / "product"
    save(folder, MANIFEST, {"model/weights": np.zeros(1)}, "")
    evil = folder / "model" / "weights.npy"
    np.save(evil, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    import hashlib

    from tallystick.models import bundle as module

    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["model/weights.npy"]["sha256"] = hashlib.sha256(evil.read_bytes()).hexdigest()
    manifest["fingerprint"] = module._fingerprint(manifest)
    (folder / "manifest.json").write_bytes(module._canonical(manifest))
    with pytest.raises(BundleError, match="no plain number array"):
        load(folder)


def test_a_manifest_value_that_was_edited_is_noticed(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["classes"] = ["b", "a"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="fingerprint"):
        load(folder)


def test_another_format_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["format"] = 99
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="format 99"):
        load(folder)


def test_no_model_says_how_to_train_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="tallystick train"):
        load(tmp_path / "nothing")


def test_saving_replaces_a_bundle_whole(folder: Path) -> None:
    save(folder, MANIFEST, {"other": np.ones(2)}, "# New\n")
    assert set(load(folder).arrays) == {"other"}
    assert [p.name for p in folder.parent.iterdir()] == ["product"], "nothing is left beside it"


def test_a_folder_that_is_no_bundle_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="no model folder"):
        save(tmp_path, MANIFEST, ARRAYS, "")
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_manifest_with_a_number_that_is_none_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        save(tmp_path / "product", MANIFEST | {"f1": float("nan")}, ARRAYS, "")
    assert not list(tmp_path.iterdir())


def test_a_swap_that_fails_leaves_the_old_bundle(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace, calls = Path.replace, []

    def failing(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 2:
            raise OSError(5, "Input/output error")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(UsageError, match="cannot be written"):
        save(folder, MANIFEST, {"other": np.ones(2)}, "")
    assert set(load(folder).arrays) == set(ARRAYS)
    assert [p.name for p in folder.parent.iterdir()] == ["product"]
