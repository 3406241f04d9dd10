import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from tallystick.connectors import open_sink
from tallystick.errors import UsageError
from tallystick.solutions.fraud.simulator import PRESETS, notes, simulate
from tallystick.solutions.fraud.simulator.bank import Bank
from tallystick.solutions.fraud.simulator.chance import Draws, below, deviate, normals, poissons, waits, word
from tallystick.solutions.fraud.simulator.ground import REACH, Ground, near
from tallystick.solutions.fraud.simulator.handbook import Compromised
from tallystick.solutions.fraud.simulator.payments import AMOUNT, CUSTOMER, KEY, SCENARIO, SCENARIOS, SECOND
from tallystick.solutions.fraud.simulator.preset import COLUMNS, Preset, read

KINDS = {kind for kind in SCENARIOS if kind}


def table(rows: int, seed: int = 0, preset: str = "default") -> pl.DataFrame:
    frame = pl.from_arrow(pa.Table.from_batches(list(simulate(rows, seed, preset))))
    assert isinstance(frame, pl.DataFrame)
    return frame


def digest(rows: int, seed: int, preset: str) -> str:
    sha = hashlib.sha256()
    for batch in simulate(rows, seed, preset):
        sha.update(repr(batch.to_pydict()).encode())
    return sha.hexdigest()


@pytest.fixture(scope="module")
def bank() -> pl.DataFrame:
    return table(300_000, seed=1)


@pytest.fixture(scope="module")
def handbook() -> pl.DataFrame:
    return table(350_000, seed=3, preset="handbook")


@pytest.mark.parametrize("preset", PRESETS)
def test_the_same_arguments_give_the_same_rows(preset: str) -> None:
    first = digest(700, 7, preset)
    assert digest(700, 7, preset) == first
    assert digest(700, 8, preset) != first


def test_chance_is_pinned() -> None:
    """These numbers may never change: a demo of today must be the demo of every platform and version."""
    assert [below(np.uint64(word(np.uint64(5), 1, 2, part)), 1000) for part in range(5)] == [
        130,
        538,
        615,
        260,
        695,
    ]
    assert deviate(np.uint64(word(np.uint64(5), 1, 2, 3)), normals()) == -640_551
    assert normals()[[0, 32_768, 65_536]].tolist() == [-4_324_919, 0, 4_324_919]
    assert poissons(4.0)[512, :3].tolist() == [580126449, 1741512406, 2904032529]
    assert waits()[[0, 4_095]].tolist() == [122, 9_010_913]
    assert Draws(1, 2).below(1000, 5).tolist() == [448, 430, 419, 277, 821]


def test_what_is_written_is_pinned() -> None:
    """As above, of whole rows: the first of seed 0."""
    assert table(3).row(0, named=True) == {
        "transaction_id": "T000000000",
        "event_time": datetime(2025, 1, 1, 5, 2, 38, tzinfo=UTC),
        "customer_id": "C0000002",
        "terminal_id": "M0000031",
        "amount": Decimal("12.95"),
        "currency": "USD",
        "place": "Kestrel Hill",
        "merchant_category": "household",
        "channel": "contactless",
        "device": "phone",
        "device_id": "D00000008",
        "payee_id": None,
        "is_fraud": False,
        "scenario": None,
        "label_known_at": datetime(2025, 1, 10, 20, 52, 42, tzinfo=UTC),
    }


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("rows", [0, 1, 999, 70_000])
def test_any_number_of_rows_comes_in_bounded_batches(rows: int, preset: str) -> None:
    batches = list(simulate(rows, 2, preset))
    assert sum(batch.num_rows for batch in batches) == rows
    assert all(0 < batch.num_rows <= 65_536 for batch in batches)


def test_batches_do_not_change_the_rows() -> None:
    """Fewer rows of the same bank are the first of more."""
    few, many = (Bank.of(Preset(customers=40), 3, rows) for rows in (10, 10_000))
    assert few.customers == many.customers
    assert few.ordinary(5).tolist() == many.ordinary(5).tolist()


def test_a_day_can_be_made_without_those_before() -> None:
    bank = Bank.of(Preset(customers=60), 3, 0)
    later = bank.ordinary(9)
    bank.ordinary(2)
    assert bank.ordinary(9).tolist() == later.tolist()


@pytest.mark.parametrize("preset", ["default", "handbook"])
def test_a_thousand_rows_hold_fraud(preset: str) -> None:
    for seed in range(12):
        assert 1 <= table(1_000, seed, preset)["is_fraud"].sum() <= 80, seed


def test_columns_types_and_order(bank: pl.DataFrame) -> None:
    batch = next(simulate(10))
    assert tuple(batch.schema.names) == COLUMNS
    assert batch.schema.field("amount").type == pa.decimal128(18, 2)
    assert batch.schema.field("event_time").type == pa.timestamp("us", "UTC")
    assert batch.schema.field("is_fraud").type == pa.bool_()
    assert bank["event_time"].is_sorted()
    assert bank["transaction_id"].is_sorted()
    assert bank["transaction_id"].n_unique() == len(bank)
    assert bank["event_time"].max() < datetime(2025, 6, 6, tzinfo=UTC)  # the preset's 153 days, and two more


def test_a_csv_and_a_parquet_hold_the_exact_amounts(tmp_path) -> None:
    batch = next(simulate(500, 4))
    for name in ("a.csv", "a.parquet"):
        with open_sink(tmp_path / name) as sink:
            sink.write(batch)
    typed = pl.read_parquet(tmp_path / "a.parquet")["amount"]
    assert typed.dtype == pl.Decimal(18, 2)
    assert typed.to_list() == batch["amount"].to_pylist()
    written = pl.read_csv(tmp_path / "a.csv", infer_schema=False)["amount"].to_list()
    assert written == [str(amount) for amount in batch["amount"].to_pylist()]
    assert all(Decimal(amount).as_tuple().exponent == -2 for amount in written)


def test_the_default_bank_has_every_fraud_at_about_one_in_a_hundred(bank: pl.DataFrame) -> None:
    assert 0.007 < bank["is_fraud"].mean() < 0.013
    assert set(bank["scenario"].drop_nulls()) == KINDS
    assert (bank["is_fraud"] == bank["scenario"].is_not_null()).all()
    assert bank["scenario"].value_counts().filter(pl.col("scenario").is_not_null())["count"].min() > 50
    assert 0.002 < (bank["amount"] < 0).mean() < 0.008
    honest = bank.filter(~pl.col("is_fraud"))
    assert set(honest["channel"]) == {"chip", "contactless", "online", "transfer"}
    assert honest.filter(pl.col("channel") != "transfer")["terminal_id"].null_count() == 0
    assert honest.filter(pl.col("payee_id").str.starts_with("C")).height > 1_000  # no tell-tale of mules


def test_labels_are_known_after_seven_days_on_average(bank: pl.DataFrame, handbook: pl.DataFrame) -> None:
    days = (bank["label_known_at"] - bank["event_time"]).dt.total_seconds() / 86_400
    assert abs(days.mean() - 7) < 0.1
    assert days.min() >= 1 / 24
    assert set(handbook["label_known_at"] - handbook["event_time"]) == {timedelta(days=7)}


def test_what_the_kinds_look_like(bank: pl.DataFrame) -> None:
    kinds = {kind: bank.filter(pl.col("scenario") == kind) for kind in KINDS}
    assert kinds["odd_hours"]["event_time"].dt.hour().is_in([1, 2, 3, 4, 5]).all()
    assert kinds["very_high_amount"]["amount"].mean() > 5 * bank["amount"].mean()
    # Six or more payments of one customer within ten minutes.
    burst = kinds["rapid_burst"].group_by("customer_id", pl.col("event_time").dt.date())
    spans = burst.agg(pl.len(), (pl.col("event_time").max() - pl.col("event_time").min()).alias("span"))
    assert (spans.filter(pl.col("span") < timedelta(minutes=10))["len"] >= 6).mean() > 0.9
    # Tiny amounts of many cards at one terminal, then large ones.
    tiny = kinds["card_testing"].filter(pl.col("amount") < 3)
    assert tiny.group_by("terminal_id").agg(pl.col("customer_id").n_unique())["customer_id"].min() >= 5
    assert kinds["card_testing"].height > tiny.height > 0.6 * kinds["card_testing"].height
    # Never the victim's own device.
    own = bank.filter(~pl.col("is_fraud")).select("customer_id", "device_id").unique()
    assert kinds["account_takeover"].join(own, on=["customer_id", "device_id"]).is_empty()


def test_mules_are_paid_by_many_and_pay_on(bank: pl.DataFrame) -> None:
    ring = bank.filter(pl.col("scenario") == "mule_ring")
    paid = ring.group_by("payee_id").agg(pl.col("customer_id").n_unique())
    mules = paid.filter(pl.col("payee_id").str.starts_with("C") & (pl.col("customer_id") >= 5))
    assert mules.height >= 10
    assert mules["payee_id"].is_in(ring["customer_id"].to_list()).mean() > 0.9
    assert ring["payee_id"].null_count() == 0
    assert ring.filter(pl.col("payee_id").str.starts_with("X")).height > 10


def test_amounts_above_220_are_fraud(handbook: pl.DataFrame) -> None:
    assert handbook.filter(pl.col("amount") > 220)["is_fraud"].all()
    high = handbook.filter(pl.col("scenario") == "high_amount")
    assert len(high) > 50
    assert high["amount"].min() > 220


def test_terminals_are_compromised_for_28_days_with_all_their_payments(handbook: pl.DataFrame) -> None:
    day = (pl.col("event_time") - datetime(2018, 4, 1, tzinfo=UTC)).dt.total_days()
    hit = handbook.with_columns(day=day).filter(pl.col("scenario") == "compromised_terminal")
    spans = []
    for (terminal,), rows in hit.group_by("terminal_id"):
        first, last = int(rows["day"].min()), int(rows["day"].max())
        spans.append(last - first + 1)
        if spans[-1] <= 28:
            during = handbook.filter((pl.col("terminal_id") == terminal) & day.is_between(first, last))
            assert during["is_fraud"].all(), terminal
    assert len(spans) > 30
    assert max(span for span in spans if span <= 28) == 28
    assert np.mean(np.array(spans) <= 28) > 0.9  # the others are compromised twice
    # Two begin a day for 10,000 terminals, so 56 of them are compromised at a time.
    terminals = handbook["terminal_id"].n_unique()
    at_once = (
        hit.filter(pl.col("day").is_between(60, 160)).group_by("day").agg(pl.col("terminal_id").n_unique())
    )
    assert abs(at_once["terminal_id"].mean() / terminals - 56 / 10_000 * 0.62) < 0.0015  # e^-.96 pay nothing


def test_a_third_of_a_customers_payments_of_14_days_is_five_times_as_high() -> None:
    preset = Preset(customers=400, days=60, frauds={"compromised_customer": 6}, noon=43_200)
    bank = Bank.of(preset, 8, 0)
    compromised = Compromised(bank)
    marked: dict[int, list[tuple[int, int]]] = {}
    counts: dict[int, dict[int, int]] = {}
    for day in range(60):
        before = bank.ordinary(day)
        after = before.copy()
        compromised.mark(after, day)
        changed = np.flatnonzero(after[SCENARIO])
        assert (after[AMOUNT, changed] == 5 * before[AMOUNT, changed]).all()
        assert (np.delete(after[AMOUNT], changed) == np.delete(before[AMOUNT], changed)).all()
        for at in changed:
            marked.setdefault(int(after[CUSTOMER, at]), []).append((day, int(after[KEY, at])))
        for customer in after[CUSTOMER]:
            counts.setdefault(int(customer), {}).setdefault(day, 0)
            counts[int(customer)][day] += 1
    assert len(marked) >= 8
    exact = 0
    for customer, found in marked.items():
        days = [day for day, _ in found]
        if max(days) - min(days) > 13:
            continue  # compromised twice
        # Some window of 14 days holds them all and three times as many payments.
        starts = range(max(days) - 13, min(days) + 1)
        totals = {sum(counts[customer].get(start + i, 0) for i in range(14)) // 3 for start in starts}
        exact += len(found) in totals
    assert exact >= 0.8 * len(marked)


def test_the_handbook_preset_is_like_the_handbooks_data(handbook: pl.DataFrame, public_data) -> None:
    real = pl.read_parquet(public_data / "fraud" / "handbook.parquet")
    assert abs(handbook["is_fraud"].mean() - real["TX_FRAUD"].mean()) < 0.0012
    for number, kind in enumerate(SCENARIOS[1:4], start=1):
        share = (handbook["scenario"] == kind).sum() / len(handbook)
        assert abs(share - (real["TX_FRAUD_SCENARIO"] == number).mean()) < 0.0012, kind

    # A thousand customers' mean amounts are not those of five thousand: the full size, for a fortnight.
    full = Bank.of(Preset.of(read("handbook")[1], "handbook"), 2, 1_754_155)
    made = np.concatenate([full.ordinary(day) for day in range(14)], axis=1)
    for part in (0.05, 0.25, 0.5, 0.75, 0.95):
        assert np.quantile(made[AMOUNT] / 100, part) == pytest.approx(
            real["TX_AMOUNT"].quantile(part), rel=0.05
        )
    hours = np.bincount(made[SECOND] % 86_400 // 3_600, minlength=24) / made.shape[1]
    theirs = np.bincount(real["TX_DATETIME"].dt.hour().to_numpy(), minlength=24) / len(real)
    assert np.abs(hours - theirs).max() < 0.003
    # Customers, and payments a day.
    assert made.shape[1] / 14 == pytest.approx(len(real) / 153, rel=0.03)


def test_the_handbooks_size_follows_from_its_rows() -> None:
    sizes = Bank.of(Preset.of(read("handbook")[1], "handbook"), 0, 1_754_155)
    assert abs(sizes.customers - 5_000) <= 75
    assert sizes.terminals == 2 * sizes.customers
    assert Bank.of(Preset(), 0, 10**11).customers == 500_000


def test_terminals_are_drawn_evenly_from_within_reach() -> None:
    ground = Ground.of(4, 2_000)
    x, y = int(ground.x[7]), int(ground.y[7])
    grid = (ground.side, ground.cells, ground.x, ground.y, ground.order, ground.start)
    drawn = [near(np.uint64(word(np.uint64(1), 9, i, 0)), x, y, *grid) for i in range(20_000)]
    within = np.flatnonzero((ground.x - x) ** 2 + (ground.y - y) ** 2 < REACH**2)
    assert set(drawn) == set(within.tolist())
    counts = np.bincount(drawn)[within]
    expected = 20_000 / len(within)
    assert ((counts - expected) ** 2 / expected).sum() < len(within) + 5 * np.sqrt(2 * len(within))


def test_the_hostile_bank_is_text_late_doubled_and_broken() -> None:
    rows = table(40_000, 2, "hostile")
    assert set(rows.dtypes) == {pl.String}
    assert 0.01 < 1 - rows["transaction_id"].n_unique() / len(rows) < 0.035
    broken = rows.filter(~pl.col("amount").fill_null("").str.contains(r"^-?\d+\.\d\d$"))
    assert 0.002 < len(broken) / len(rows) < 0.02
    assert "12,3x" in "".join(broken["amount"].fill_null("")) or "twelve" in set(broken["amount"])
    when = rows["event_time"].str.to_datetime("%Y-%m-%dT%H:%M:%SZ", strict=False)
    assert 0 < when.null_count() < 0.02 * len(rows)
    good = when.drop_nulls().filter(when.drop_nulls().dt.year() == 2025)
    behind = (good.cum_max() - good).dt.total_seconds()
    assert 0.015 < (behind > 3_000).mean() < 0.03
    assert (behind > 0).mean() > 0.035
    assert behind.max() <= 6 * 3_600 + 900
    assert set(rows["currency"].drop_nulls()) >= {"USD", "EUR", "GBP"}


@pytest.mark.parametrize("setting", ["disorder", "late", "duplicates", "broken"])
def test_each_trouble_comes_alone_when_asked_for(setting: str, tmp_path) -> None:
    path = tmp_path / "one.yaml"
    path.write_text(f"{setting}: .1\n")
    rows = table(5_000, 1, str(path))
    assert len(rows) == 5_000
    assert (rows["amount"].dtype == pl.String) == (setting == "broken")
    doubled = rows["transaction_id"].is_duplicated().mean()
    assert (0.12 < doubled < 0.25) if setting == "duplicates" else doubled < 0.05
    if setting in ("disorder", "late"):
        assert not rows["event_time"].is_sorted()
    elif setting == "duplicates":
        assert rows.unique().height == rows["transaction_id"].n_unique()  # the same in all columns
    else:
        assert rows.null_count().row(0) != (0,) * rows.width


@pytest.mark.parametrize(("rows", "seed"), [(-1, 0), (1, -1)])
def test_negative_numbers_are_refused(rows: int, seed: int) -> None:
    with pytest.raises(UsageError, match="must not be negative"):
        simulate(rows, seed)


def test_there_is_nothing_to_say_of_a_bank() -> None:
    assert simulate.notes is notes  # where the job looks for it
    assert notes("default") == ()
