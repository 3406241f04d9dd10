"""Payments and a model of them, shared by the tests of jobs on events."""

from pathlib import Path

import polars as pl
import pytest

import tallystick as ts


@pytest.fixture(scope="session")
def payments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """6,000 simulated payments as Parquet."""
    path = tmp_path_factory.mktemp("payments") / "payments.parquet"
    ts.simulate("fraud", rows=6_000, output=path, seed=5)
    return path


@pytest.fixture(scope="session")
def frame(payments: Path) -> pl.DataFrame:
    """The same payments as a frame."""
    return pl.read_parquet(payments)


@pytest.fixture(scope="session")
def fraud_model(payments: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder learned from the payments, by the default learner."""
    folder = tmp_path_factory.mktemp("fraud")
    ts.train("fraud", payments, model=folder)
    return folder


@pytest.fixture(scope="session")
def arriving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4,000 simulated payments as JSON lines, in the order of their times."""
    path = tmp_path_factory.mktemp("arriving") / "payments.jsonl"
    ts.simulate("fraud", rows=4000, preset="handbook", output=path, seed=3)
    return path


@pytest.fixture(scope="session")
def arriving_model(arriving: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder learned from those."""
    folder = tmp_path_factory.mktemp("arriving") / "model"
    ts.train("fraud", arriving, model=folder)
    return folder
