"""Tables that are joined to the main one: aggregates by key, the same by whatever way they come."""

import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import tallystick as ts
from tallystick.cli.commands import app
from tallystick.errors import DataError, UsageError

PLUGINS = Path(__file__).parents[1] / "plugins"
CUSTOMERS = pl.DataFrame({"id": ["1", "2", "3", "4"], "age": [30, 40, 50, 60], "cancelled": [0, 1, 0, 1]})
ORDERS = pl.DataFrame(
    {
        "order_id": ["a", "b", "c", "d", "e", "f"],
        "customer": ["1", "1", "1", "2", "2", "9"],
        "ordered_at": [f"2024-01-0{day}T00:00:00Z" for day in (3, 1, 2, 5, 4, 1)],
        "paid": ["0.10", "0.20", "0.70", "5.00", None, "1.00"],
        "unit": ["USD"] * 6,
        "weight": [0.1, 0.2, 0.3, None, None, 1.0],
        "items": [1, 2, 4, 3, 3, 1],
        "channel": ["web", "store", None, "web", "web", "web"],
    }
)


@pytest.fixture(autouse=True)
def plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(PLUGINS))
    yield
    sys.modules.pop("shop", None)


def clean(
    folder: Path, customers: pl.DataFrame = CUSTOMERS, **options: object
) -> tuple[pl.DataFrame, object]:
    done = ts.validate("shop", customers, output=folder / "clean.parquet", **options)
    return pl.read_parquet(folder / "clean.parquet"), done.input_report


def test_rows_gain_the_aggregates_of_their_rows_in_the_other_table(tmp_path: Path) -> None:
    rows, report = clean(tmp_path, table={"orders": ORDERS})
    one, two, three, _ = rows.to_dicts()
    assert (one["orders__count"], one["orders__count_weight"]) == (3, 3)
    assert one["orders__sum_paid"] == 1.0
    assert one["orders__mean_paid"] == pytest.approx(1 / 3, abs=1e-15)
    assert (one["orders__max_paid"], one["orders__sum_weight"], one["orders__min_weight"]) == (0.7, 0.6, 0.1)
    assert one["orders__mean_items"] == 7 / 3
    assert one["orders__distinct_channel"] == 2
    assert one["orders__first_channel"] == "store"
    assert one["orders__last_ordered_at"].isoformat() == "2024-01-03T00:00:00+00:00"
    assert (two["orders__count"], two["orders__count_weight"], two["orders__sum_paid"]) == (2, 0, 5.0)
    assert (two["orders__mean_paid"], two["orders__min_weight"], two["orders__sum_weight"]) == (
        5.0,
        None,
        0.0,
    )
    assert (three["orders__count"], three["orders__sum_paid"], three["orders__distinct_channel"]) == (
        0,
        0.0,
        0,
    )
    assert (three["orders__mean_paid"], three["orders__first_channel"]) == (None, None)
    assert "Table orders: 6 rows read, 0 bad, 0 duplicate." in report.notes
    assert "orders: 2 rows have none of its rows." in report.notes


def test_files_a_folder_and_frames_give_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    CUSTOMERS.write_csv(folder / "customers.csv")
    ORDERS.write_parquet(folder / "orders.parquet")
    frames, _ = clean(tmp_path, table={"orders": ORDERS})
    by_folder, _ = clean(tmp_path, folder)
    by_path, _ = clean(tmp_path, folder / "customers.csv", table={"orders": folder / "orders.parquet"})
    shuffled, _ = clean(tmp_path, table={"orders": ORDERS.sample(fraction=1, shuffle=True, seed=4)})
    for other in (by_folder, by_path, shuffled):
        assert other.equals(frames)


def test_keys_are_joined_however_they_are_written(tmp_path: Path) -> None:
    numbers = CUSTOMERS.with_columns(pl.col("id").cast(pl.Int64))
    assert clean(tmp_path, numbers, table={"orders": ORDERS})[0]["orders__count"].to_list() == [3, 2, 0, 0]


def test_what_is_bad_or_comes_twice_is_said_and_not_counted(tmp_path: Path) -> None:
    bad = pl.concat([ORDERS, ORDERS[:1], ORDERS[1:2].with_columns(order_id=pl.lit("z"), paid=pl.lit("much"))])
    rows, report = clean(tmp_path, table={"orders": bad})
    assert rows["orders__count"].to_list() == [3, 2, 0, 0]
    assert "Table orders: 6 rows read, 1 bad, 1 duplicate." in report.notes


def test_amounts_in_another_currency_are_said_and_not_counted(tmp_path: Path) -> None:
    mixed = ORDERS.with_columns(unit=pl.Series(["USD", "EUR", "USD", "USD", "USD", "USD"]))
    rows, report = clean(tmp_path, table={"orders": mixed})
    assert rows["orders__sum_paid"][0] == 0.8
    assert "Table orders: 1 rows are not in USD; their paid is not counted." in report.notes
    with pytest.raises(DataError, match="no paid is in USD") as refused:
        clean(tmp_path, table={"orders": ORDERS.with_columns(unit=pl.lit("EUR"))})
    assert "--set currency=EUR" in refused.value.hint


def test_sums_are_exact_in_any_order(tmp_path: Path) -> None:
    many = pl.DataFrame(
        {"order_id": [f"{i}" for i in range(3000)], "customer": ["1"] * 3000,
         "paid": ["90000000000.01"] * 3000,
         "ordered_at": ["2024-01-01T00:00:00Z"] * 3000, "unit": ["USD"] * 3000, "items": [1] * 3000,
         "weight": [1e9 + 0.1, -1e9, 0.3] * 1000, "channel": ["web"] * 3000}
    )  # fmt: skip
    rows, _ = clean(tmp_path, table={"orders": many})
    assert rows["orders__sum_paid"][0] == 270_000_000_000_030.0
    assert rows["orders__sum_weight"][0] == 400.0
    with pytest.raises(DataError, match="too large to be added up"):
        clean(tmp_path, table={"orders": many.with_columns(weight=pl.lit(1e300))})


def test_a_model_says_which_table_it_lacks(tmp_path: Path) -> None:
    customers, orders = (pl.concat([frame] * 30) for frame in (CUSTOMERS, ORDERS))
    customers = customers.with_columns(id=pl.int_range(pl.len()).cast(pl.String))
    orders = orders.with_columns(
        order_id=pl.int_range(pl.len()).cast(pl.String), customer=pl.int_range(pl.len()) % 100
    )
    with pytest.raises(DataError, match=r"orders__count, from the table orders: --table orders=PATH"):
        ts.train("shop", customers, model=tmp_path / "model")
    ts.train("shop", customers, model=tmp_path / "model", table={"orders": orders})
    with pytest.raises(DataError, match="missing: orders__count"):
        ts.score("shop", customers, model=tmp_path / "model")
    scored = ts.score("shop", customers, model=tmp_path / "model", table={"orders": orders})
    assert len(scored) == len(customers)
    held = ts.evaluate("shop", customers, model=tmp_path / "model", table={"orders": orders}).reports
    assert held["cancel"]["rows"] > 0
    ts.validate("shop", customers, output=tmp_path / "rows.parquet", table={"orders": orders})
    rows = pl.read_parquet(tmp_path / "rows.parquet")
    alone = ts.load("shop", tmp_path / "model").score(rows)
    assert alone["score"].to_list() == scored["score"].to_list()


def test_a_wrong_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match='shop joins no table "order"') as wrong:
        clean(tmp_path, table={"order": ORDERS})
    assert "orders" in wrong.value.hint
    with pytest.raises(UsageError, match='complaints joins no table "orders"'):
        ts.validate("complaints", CUSTOMERS, table={"orders": ORDERS})
    with pytest.raises(DataError, match=r"The table orders is refused: .*customer_id") as refused:
        clean(tmp_path, table={"orders": ORDERS.rename({"customer": "Kunde"})})
    assert '--map "orders:' in refused.value.hint
    renamed = ORDERS.rename({"customer": "Kunde"})
    rows, _ = clean(tmp_path, table={"orders": renamed}, map={"orders:Kunde": "customer_id"})
    assert rows["orders__count"].to_list() == [3, 2, 0, 0]
    with pytest.raises(DataError, match="it lacks paid"):
        clean(tmp_path, table={"orders": ORDERS.drop("paid")})
    with pytest.raises(DataError, match="customer_id, which rows of orders belong to a row"):
        clean(tmp_path, CUSTOMERS.drop("id"), table={"orders": ORDERS})
    with pytest.raises(UsageError, match="A stream joins no tables"):
        ts.stream("shop", source="-", sink=tmp_path / "x.jsonl", model=tmp_path, table={"orders": ORDERS})


def test_the_command_line_takes_tables(tmp_path: Path) -> None:
    CUSTOMERS.write_csv(tmp_path / "c.csv")
    ORDERS.write_csv(tmp_path / "o.csv")
    done = CliRunner().invoke(
        app,
        ["validate", "shop", str(tmp_path / "c.csv"), "--table", f"orders={tmp_path / 'o.csv'}",
         "--output", str(tmp_path / "out.csv")],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert pl.read_csv(tmp_path / "out.csv")["orders__count"].to_list() == [3, 2, 0, 0]
