"""The plug-in solutions on the path, as an installed package would be, and data for every solution."""

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import tallystick as ts
from tallystick import registry

PLUGINS = Path(__file__).parents[1] / "plugins"


@pytest.fixture(scope="module", autouse=True)
def plugins() -> Path:
    """Put the plug-ins on the path, for this process and those that it starts."""
    sys.path.insert(0, str(PLUGINS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(PLUGINS), prepend=":")
        yield PLUGINS
    sys.path.remove(str(PLUGINS))


def credit(rows: int = 900) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    limit, late = rng.integers(1, 50, rows) * 10_000, rng.integers(-2, 5, rows)
    odds = late * 0.7 - limit / 300_000 - 1
    return pl.DataFrame(
        {
            "ID": np.arange(rows), "LIMIT_BAL": limit, "PAY_0": late, "AGE": rng.integers(21, 70, rows),
            "EDUCATION": rng.choice(["school", "university", "other"], rows),
            "default.payment.next.month": (rng.random(rows) < 1 / (1 + np.exp(-odds))).astype(int),
        }
    )  # fmt: skip


def mixed(rows: int = 1_000) -> pl.DataFrame:
    rng = np.random.default_rng(2)
    guests, bill = rng.integers(1, 9, rows), rng.integers(500, 20_000, rows) / 100
    kind = rng.choice(["dinner", "lunch", "party"], rows)
    words = {"dinner": "candles wine evening", "lunch": "salad quick noon", "party": "music cake many"}
    times = np.sort(rng.integers(1_700_000_000, 1_705_000_000, rows))
    return pl.DataFrame(
        {
            "visit_id": [f"v{i:04}" for i in range(rows)],
            "seen_at": pl.from_epoch(pl.Series(times), time_unit="s").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "guest_id": [f"g{i}" for i in rng.integers(0, 60, rows)],
            "note": [f"{words[k]} table {rng.integers(0, 30)} nice" for k in kind],
            "bill": bill, "unit": ["EUR"] * rows, "guests": guests, "kind": kind,
            "came_back": rng.random(rows) < 1 / (1 + np.exp(2.5 - guests / 2)),
            "tip": np.round(bill * 0.1 + guests, 2),
        }
    )  # fmt: skip


def shop(rows: int = 900) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Customers, and the orders of all but each tenth of them."""
    rng = np.random.default_rng(3)
    who = rng.integers(0, rows, 6 * rows)
    who = who[who % 10 > 0]
    paid = rng.integers(100, 9_000, len(who)) / 100
    orders = pl.DataFrame(
        {
            "order_id": [f"o{i:05}" for i in range(len(who))], "customer": who,
            "ordered_at": [f"2024-{1 + i % 12:02}-{1 + i % 28:02}T08:00:00Z" for i in range(len(who))],
            "paid": paid, "unit": ["USD"] * len(who), "weight": np.round(rng.gamma(2, 1, len(who)), 3),
            "items": rng.integers(1, 6, len(who)), "channel": rng.choice(["web", "store", "phone"], len(who)),
        }
    )  # fmt: skip
    count = np.bincount(who, minlength=rows)
    customers = pl.DataFrame(
        {
            "id": np.arange(rows), "age": rng.integers(18, 90, rows),
            "cancelled": (rng.random(rows) < 1 / (1 + np.exp(count / 2 - 1))).astype(int),
        }
    )  # fmt: skip
    return customers, orders


def joined(folder: Path) -> Path:
    """A file of customers with the columns that they gain from their orders."""
    folder.mkdir()
    for name, frame in zip(("customers", "orders"), shop(), strict=True):
        frame.write_csv(folder / f"{name}.csv")
    ts.validate("shop", folder, output=folder / "joined.csv")
    return folder / "joined.csv"


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A file of records for each solution: simulated where the solution can, else made here."""
    folder, made = tmp_path_factory.mktemp("conformance"), {"credit": credit, "mixed": mixed}
    paths = {}
    for name in registry.names("solutions"):
        paths[name] = folder / f"{name}.csv"
        if name in made:
            made[name]().write_csv(paths[name])
        elif name == "shop":
            paths[name] = joined(folder / name)
        else:
            found = registry.solution(name)
            ts.simulate(name, rows=max(found.try_rows, 900), preset=found.try_preset, output=paths[name])
    return paths


@pytest.fixture(scope="module")
def models(records: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model folder of each solution, with every task that its records have answers for."""
    folder = tmp_path_factory.mktemp("conformance-models")
    for name, path in records.items():
        ts.train(name, path, model=folder / name)
    return {name: folder / name for name in records}
