"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

import tallystick as ts

# Real servers, started where a test asks for one and ended with the run.
pytest_plugins = [f"tests.servers.{name}" for name in ("databases", "kafka", "postgres", "registry")]

# The first example compiles kernels, and shared machines stall: time says nothing about right or wrong.
settings.register_profile("tallystick", deadline=None)
settings.load_profile("tallystick")


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The folder of public data sets, which the project does not ship."""
    folder = Path(os.environ.get("TALLYSTICK_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no public data at {folder}: set TALLYSTICK_DATA to a folder that holds it")
    return folder


@pytest.fixture(scope="session")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,200 simulated complaints as CSV."""
    path = tmp_path_factory.mktemp("records") / "complaints.csv"
    ts.simulate("complaints", rows=1200, output=path, seed=5)
    return path


@pytest.fixture(scope="session")
def model(records: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder learned from the records, by the default learner."""
    folder = tmp_path_factory.mktemp("model")
    ts.train("complaints", records, model=folder)
    return folder
