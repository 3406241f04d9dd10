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

#: Folders and files whose tests train models, wait for processes or try thousands of cases: `make check`
#: leaves them out, `make test` runs them.
SLOW = [
    "cli",
    "conformance",
    "jobs",
    "learning",
    "learners/test_as_the_libraries.py",
    "learners/test_conformance.py",
    "test_docs.py",
    "connectors/test_compression.py",
    "connectors/test_database.py",
    "connectors/test_database_postgresql.py",
    "connectors/test_database_sqlite.py",
    "connectors/test_delimited.py",
    "connectors/test_json_columns.py",
    "connectors/test_json_flat.py",
    "connectors/test_sink.py",
    "connectors/test_source.py",
    "contracts/test_money.py",
    "evaluation/test_binary_intervals.py",
    "evaluation/test_binary_metrics.py",
    "evaluation/test_bootstrap.py",
    "evaluation/test_coverage.py",
    "evaluation/test_metrics.py",
    "evaluation/test_segments_report.py",
    "evaluation/test_splits.py",
    "evaluation/test_thresholds.py",
    "figures/test_charts.py",
    "figures/test_page.py",
    "figures/test_stream_page.py",
    "inputs",
    "models/test_calibration.py",
    "models/test_event_calibration.py",
    "models/test_treeshap.py",
    "notify",
    "rules/test_routing.py",
    "scorer",
    "solutions/complaints/test_contract.py",
    "solutions/complaints/simulator",
    "solutions/fraud/test_card_precision.py",
    "solutions/fraud/test_protocols.py",
    "solutions/fraud/test_simulator.py",
    "solutions/fraud/test_simulator_prototype.py",
    "store/test_kills.py",
    "store/test_retention.py",
    "store/test_snapshots.py",
    "store/test_store.py",
    "store/test_versions.py",
    "streams",
    "tasks/test_binary.py",
    "text/test_ngrams.py",
    "text/test_scoring.py",
    "text/test_vocabulary.py",
    "windows/test_against_reference.py",
    "windows/test_passes.py",
    "windows/test_relative.py",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of those folders and files as slow."""
    here = Path(__file__).parent
    slow = [here / name for name in SLOW]
    assert all(path.exists() for path in slow), "a file that was slow has gone: take it off the list"
    for item in items:
        if any(path == item.path or path in item.path.parents for path in slow):
            item.add_marker(pytest.mark.slow)


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
