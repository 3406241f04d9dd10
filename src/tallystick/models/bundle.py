"""A trained model as a folder of plain files, checked whole each time it is read.

    DIR/TASK/
        manifest.json       what it is, was trained from and achieved, and the SHA-256 of every file
        card.md             the same for people
        features/N/…npy     of each part of its features; plain number arrays, never pickled objects
        model/…npy          of the model; model/model.onnx of a network
        calibration/…npy    of what turns raw scores into calibrated ones
        heldout/…npy        hashes of training rows, and their scores by models that did not see them

The manifest's own fingerprint covers everything in it, and it names every other file: so whatever is changed,
missing or added is found and named.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.errors import BundleError, TallystickError, UsageError

__all__ = ["FORMAT", "Bundle", "load", "save", "writable"]

FORMAT = 3
MANIFEST = "manifest.json"
ONNX = ".onnx"  # an array of bytes of such a name is a file of its own, as other programs read it
ADVICE = "Train the model again, or bring the folder back from where it was copied."


@dataclass(frozen=True)
class Bundle:
    """What a model folder holds: its manifest, its arrays and its card."""

    manifest: dict[str, Any]
    arrays: dict[str, NDArray[Any]]
    card: str

    @property
    def name(self) -> str:
        """Return the name that decisions carry: solution/task@fingerprint."""
        m = self.manifest
        return f"{m['solution']}/{m['task']}@{m['fingerprint'][:12]}"

    def part(self, name: str) -> dict[str, NDArray[Any]]:
        """Return the arrays of one part (`features`, `model`, `calibration`, `heldout`), without its name."""
        start = f"{name}/"
        return {n.removeprefix(start): array for n, array in self.arrays.items() if n.startswith(start)}


def _canonical(manifest: Mapping[str, Any]) -> bytes:
    return json.dumps(manifest, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1).encode()


def _fingerprint(manifest: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical({k: v for k, v in manifest.items() if k != "fingerprint"})).hexdigest()


def save(
    folder: str | Path, manifest: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], card: str
) -> Bundle:
    """Write a bundle whole or not at all; an older bundle in the same place is replaced.

    Raises UsageError when the folder holds something that is no bundle.
    """
    folder = Path(folder)
    writable(folder)
    files: dict[str, bytes] = {"card.md": card.encode()}
    for name, array in sorted(arrays.items()):
        if name.endswith(ONNX):
            files[name] = np.asarray(array, np.uint8).tobytes()
            continue
        buffer = io.BytesIO()
        np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
        files[f"{name}.npy"] = buffer.getvalue()
    whole = dict(manifest) | {
        "format": FORMAT,
        "files": {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for name, data in sorted(files.items())
        },
    }
    # Through JSON and back, so that a fresh bundle and a loaded one hold the same types.
    whole = json.loads(_canonical(whole))
    whole["fingerprint"] = _fingerprint(whole)
    files[MANIFEST] = _canonical(whole) + b"\n"
    _write_folder(folder, files)
    return Bundle(whole, dict(arrays), card)


def writable(folder: Path) -> None:
    """Raise UsageError when a bundle cannot be written there: said before the work, not after it."""
    nearest = next(up for up in (folder, *folder.absolute().parents) if up.exists())
    if nearest != folder and not (nearest.is_dir() and os.access(nearest, os.W_OK)):
        raise UsageError(
            f"No model can be written in {folder}: {nearest} does not take it.", "Name another folder."
        )
    if folder.exists() and (
        not folder.is_dir() or (any(folder.iterdir()) and not (folder / MANIFEST).is_file())
    ):
        raise UsageError(
            f"{folder} is there already and is no model folder.",
            "Name another folder, or move what is in it.",
        )


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write all files beside the folder, then put them in its place."""
    beside = old = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        for name, data in files.items():
            path = beside / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        beside.chmod(0o755)
        if folder.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent))
            folder.replace(old / "was")
        beside.replace(folder)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        raise (TallystickError if full else UsageError)(
            f"The model folder {folder} cannot be written: {error.strerror}.",
            "Nothing half-written was left behind; make room, or name another folder.",
        ) from error
    finally:
        if old is not None and (old / "was").exists() and not folder.exists():
            (old / "was").replace(folder)  # what was there stays when the new one could not take its place
        for leftover in (beside, old):
            if leftover is not None:
                shutil.rmtree(leftover, ignore_errors=True)


def load(folder: str | Path) -> Bundle:
    """Read a bundle and check every byte of it.

    Raises UsageError when there is none, and BundleError, naming the file, when one is changed,
    missing or foreign.
    """
    folder = Path(folder)
    try:
        text = (folder / MANIFEST).read_bytes()
    except OSError:
        if folder.is_dir() and any(folder.iterdir()):
            raise BundleError(f"{folder} is incomplete: {MANIFEST} is missing.", ADVICE) from None
        raise UsageError(
            f"There is no model in {folder}.", "Train one: tallystick train SOLUTION INPUT --model DIR"
        ) from None
    manifest = _read_manifest(folder, text)
    listed: dict[str, Any] = manifest["files"]
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir()} - {MANIFEST}
    for name in sorted(found - set(listed)):
        raise BundleError(f"{folder} holds a foreign file: {name} is not in its manifest.", "Take it out.")
    for name in sorted(set(listed) - found):
        raise BundleError(f"{folder} is incomplete: {name} is missing.", ADVICE)
    data: dict[str, bytes] = {}
    for name in sorted(listed):
        data[name] = (folder / name).read_bytes()
        if hashlib.sha256(data[name]).hexdigest() != listed[name]["sha256"]:
            raise BundleError(f"{folder} was changed: {name} is not what the manifest says.", ADVICE)
    arrays = {
        name.removesuffix(".npy"): _read_array(folder, name, content)
        for name, content in data.items()
        if name.endswith(".npy")
    } | {name: np.frombuffer(content, np.uint8) for name, content in data.items() if name.endswith(ONNX)}
    return Bundle(manifest, arrays, data["card.md"].decode() if "card.md" in data else "")


def _read_manifest(folder: Path, text: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(text)
        version, fingerprint = manifest["format"], manifest["fingerprint"]
        wanted = _fingerprint(manifest)
        named = manifest["solution"], manifest["task"], manifest["files"].items()
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BundleError(f"{folder}/{MANIFEST} is no manifest of a model.", ADVICE) from None
    if version != FORMAT:
        raise BundleError(
            f"{folder} is a bundle of format {version}; this version reads format {FORMAT}.",
            "Train the model again, or use the version that wrote it.",
        )
    if fingerprint != wanted or not all(named):
        raise BundleError(f"{folder} was changed: {MANIFEST} does not match its own fingerprint.", ADVICE)
    return dict(manifest)


def _read_array(folder: Path, name: str, content: bytes) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError):
        raise BundleError(f"{folder}: {name} is no plain number array.", ADVICE) from None
    return array
