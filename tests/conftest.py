"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The folder of public data sets, which the project does not ship."""
    folder = Path(os.environ.get("TALLYSTICK_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no public data at {folder}: set TALLYSTICK_DATA to a folder that holds it")
    return folder
