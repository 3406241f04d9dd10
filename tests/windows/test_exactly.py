"""Each sentence on windows, time and order that concerns the kernel, as an example."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tests.windows.conftest import batch, declare

from tallystick.windows import WindowResult, WindowState

MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000


def row(time: int | None, amount: int | None = 100, **more: Any) -> dict[str, Any]:
    return {"event_time": time, "customer_id": "a", "terminal_id": "t", "amount": amount, **more}


def group(**words: Any) -> dict[str, Any]:
    return {"entity": "customer_id", "windows": "1h", "aggregates": ["count"], **words}


def state(*groups: dict[str, Any], zone: str = "UTC", **more: Any) -> WindowState:
    return WindowState(declare({"features": list(groups), **more}), zone)


def run(on: WindowState, *rows: dict[str, Any], labels: list[bool] | None = None) -> WindowResult:
    return on.apply(batch(list(rows)), None if labels is None else np.array(labels))


def column(applied: WindowResult, number: int = 0) -> list[float]:
    found: list[float] = applied.features[:, number].tolist()
    return found


def test_a_record_gets_its_entity_s_next_number_and_pairs_number_none() -> None:
    on = state(group(entity=["customer_id", "terminal_id"]))
    applied = run(on, row(0), row(0, customer_id="b"), row(0, customer_id=None), row(5))
    assert on.windows.entities == ("customer_id", "terminal_id")
    assert applied.sequence.tolist() == [[1, 1], [1, 2], [0, 3], [2, 4]]


def test_a_row_without_a_time_is_numbered_but_sees_and_joins_nothing() -> None:
    applied = run(state(group()), row(0), row(None), row(1))
    assert applied.sequence[:, 0].tolist() == [1, 2, 3]
    assert column(applied)[0] == 0.0
    assert math.isnan(column(applied)[1])
    assert column(applied)[2] == 1.0
    assert not applied.late.any()


def test_what_happens_between_entities_changes_nothing() -> None:
    a, b = [row(t) for t in (0, 9, MINUTE)], [row(t, customer_id="b") for t in (3, HOUR, HOUR)]
    apart = [column(run(state(group()), *rows)) for rows in (a, b)]
    mixed = column(run(state(group()), b[0], a[0], b[1], a[1], a[2], b[2]))
    assert [mixed[1], mixed[3], mixed[4]] == apart[0]
    assert [mixed[0], mixed[2], mixed[5]] == apart[1]


def test_tiles_are_aligned_to_the_epoch_and_the_running_one_counts() -> None:
    on = state(group(tiles=2))  # 30 minutes each
    applied = run(
        on, row(29 * MINUTE), row(30 * MINUTE), row(59 * MINUTE), row(60 * MINUTE), row(120 * MINUTE)
    )
    assert column(applied) == [0, 1, 2, 2, 0]  # at 60 the tile of 29 has left


def test_tiles_before_1970_are_aligned_too() -> None:
    assert column(run(state(group(tiles=1)), row(-HOUR), row(-1), row(0))) == [0, 1, 0]


def test_exact_is_open_at_its_old_end_and_closed_at_its_own_time() -> None:
    applied = run(state(group(mode="exact")), row(0), row(0), row(HOUR - 1), row(HOUR))
    assert column(applied) == [0, 1, 2, 1]


def test_exact_takes_the_current_event_in_on_request() -> None:
    applied = run(
        state(group(mode="exact", include_current=True, aggregates=["count", "sum amount"])), row(0), row(1)
    )
    assert applied.features.tolist() == [[1, 1], [2, 2]]


def test_past_the_cap_the_oldest_leave_first_and_are_counted() -> None:
    on = state(group(mode="exact", cap=2, aggregates=["count", "since_first"]))
    applied = run(on, *(row(t * 1_000_000) for t in range(5)))
    assert column(applied) == [0, 1, 2, 2, 2]
    assert column(applied, 1)[4] == 2.0
    assert on.left_early == 3


def test_a_late_event_joins_its_tile_and_changes_nothing_decided() -> None:
    on = state(group(tiles=2, mode="tiled"))
    first = run(on, row(10 * MINUTE), row(40 * MINUTE))
    late = run(on, row(11 * MINUTE))
    assert column(first) == [0, 1]
    assert column(late) == [1]  # its own tile; the event of 40 lies in a later one
    assert late.late.tolist() == [True]
    assert column(run(on, row(41 * MINUTE))) == [3]


def test_a_late_event_whose_tile_has_left_joins_nothing() -> None:
    on = state(group(tiles=2))
    assert column(run(on, row(0), row(HOUR), row(5), row(HOUR))) == [0, 0, 0, 1]


def test_in_exact_a_late_event_sees_nothing_later_than_itself() -> None:
    assert column(run(state(group(mode="exact")), row(100), row(50), row(70), row(70))) == [0, 0, 1, 2]


def test_allowed_lateness_only_says_what_is_called_late() -> None:
    on = state(group())
    on.allowed_lateness_us = 50
    applied = run(on, row(100), row(50), row(49))
    assert applied.late.tolist() == [False, False, True]
    assert column(applied) == [0, 1, 2]


def test_an_idle_entity_reads_as_new_and_goes_on_counting() -> None:
    on = state(group(aggregates=["count", "first_seen"]))
    applied = run(on, row(0), row(HOUR), row(2 * HOUR + 1), row(2 * HOUR + 1))
    assert np.isnan(applied.features[:, 1]).tolist() == [True, False, True, False]
    assert applied.features[1, 1] == 3600.0
    assert applied.sequence[:, 0].tolist() == [1, 2, 3, 4]


def test_refunds_are_negative() -> None:
    applied = run(state(group(aggregates=["sum amount", "min amount"])), row(0, 1250), row(1, -1250), row(2))
    assert applied.features.tolist()[2] == [0.0, -12.5]


def test_a_sum_takes_only_the_current_event_s_currency_and_its_decimals() -> None:
    on = state(group(aggregates=["count", "sum amount", "max amount"]))
    rows = [row(0, 100), row(1, 700, currency="JPY"), row(2, 50, currency="USD"), row(3, 1, currency="JPY")]
    applied = run(on, *rows, row(4, 5, currency="KWD"), row(5, 1000, currency="KWD"), row(6))
    assert column(applied) == [0, 1, 2, 3, 4, 5, 6]  # events are counted whatever they were paid in
    assert column(applied, 1) == [0.0, 0.0, 1.0, 700.0, 0.0, 0.005, 1.5]
    assert column(applied, 2)[3:] == [700.0, pytest.approx(float("nan"), nan_ok=True), 0.005, 1.0]


@pytest.mark.parametrize("mode", ["tiled", "exact"])
def test_sums_of_extreme_amounts_are_exact_and_come_off_again(mode: str) -> None:
    large = 10**15
    on = state(group(mode=mode, cap=8192, aggregates=["sum amount", "std amount"]))
    run(on, *(row(i, large if i % 2 else large - 1) for i in range(5000)))
    # the whole of it, then all of it gone but the small ones
    assert column(run(on, row(5000, 1)))[0] == (5000 * large - 2500) / 100
    applied = run(on, *(row(2 * HOUR + i, 3) for i in range(3)))
    assert applied.features.tolist()[2] == [0.06, 0.0]


def test_spread_of_near_equal_large_amounts_is_not_cancelled() -> None:
    on = state(group(aggregates=["std amount"]))
    applied = run(on, row(0, 10**15), row(1, 10**15 - 2), row(2, 10**15), row(3))
    values = [10**15, 10**15 - 2, 10**15]
    square = 3 * sum(v * v for v in values) - sum(values) ** 2
    assert column(applied)[3] == math.sqrt(float(square) / 6.0) / 100


def test_std_is_null_below_two() -> None:
    applied = run(state(group(aggregates=["std amount"])), row(0), row(1), row(2))
    assert np.isnan(column(applied)).tolist() == [True, True, False]


def test_risk_is_of_what_was_known_by_then_over_all_payments_d_ago() -> None:
    on = state(group(windows="1d", aggregates=["risk"], delay="7d", mode="exact"))
    paid = [row(0), row(1)]
    assert all(math.isnan(x) for x in column(run(on, *paid)))  # nothing is old enough
    found = run(on, row(7 * DAY + 1), paid[0], row(7 * DAY + 2), labels=[False, True, False])
    assert column(found)[0] == 0.0  # not yet known
    assert column(found)[2] == 0.5  # known now, by a label event
    assert math.isnan(column(found)[1])
    assert math.isnan(column(run(on, row(8 * DAY + 1)))[0])  # (t - d - w, t - d] holds neither of the two


def test_a_label_takes_a_number_and_moves_only_what_asks_for_it() -> None:
    on = state(
        group(where="known_fraud", aggregates=["count", "since_first"]),
        group(aggregates=["count", "sum amount"]),
    )
    applied = run(on, row(0), row(0), row(1_000_000), labels=[False, True, False])
    assert applied.sequence[:, 0].tolist() == [1, 2, 3]
    assert applied.features[2].tolist() == [1.0, 1.0, 1.0, 1.0]
    assert np.isnan(applied.features[1]).all()


def test_a_label_is_placed_by_its_payment_s_time_and_known_from_its_own_place_on() -> None:
    on = state(group(windows="1d", where="known_fraud"))
    assert (
        column(run(on, row(0), row(HOUR), row(0), row(2 * HOUR), labels=[False, False, True, False]))[3] == 1
    )
    assert column(run(on, row(2 * DAY), row(0), row(2 * DAY), labels=[False, True, False]))[2] == 0


def test_night_and_weekend_are_those_of_the_zone() -> None:
    document = [group(where="night"), group(where="weekend")]
    friday = 1_520_000_000_000_000 // DAY * DAY  # 2 March 2018
    rows = [row(friday + 23 * HOUR), row(friday + 23 * HOUR + 1)]
    assert run(state(*document), *rows).features[1].tolist() == [0, 0]
    assert run(state(*document, zone="Asia/Tokyo"), *rows).features[1].tolist() == [0, 1]
    assert run(state(*document, zone="Asia/Karachi"), *rows).features[1].tolist() == [1, 1]


def test_distinct_is_exact_to_its_cap_and_near_beyond() -> None:
    on = state(group(windows="1d", aggregates=["distinct device_id"], tiles=1, distinct_cap=64))
    others = [row(i, device_id=f"d{i % 2000}") for i in range(4000)]
    found = column(run(on, *others, row(4000, device_id=None)))
    assert found[:65] == list(range(65))
    assert 1300 < found[-1] < 2700
    assert on.nbytes < 20_000


def test_distinct_over_many_tiles_joins_their_samples() -> None:
    on = state(group(windows="30d", aggregates=["distinct device_id"], distinct_cap=256))
    found = column(
        run(on, *(row(i * HOUR, device_id=f"d{i * 7919 % 500}") for i in range(700)), row(700 * HOUR))
    )
    assert found[-1] == 500  # each tile of a day is below the cap


def test_a_run_starts_after_a_longer_gap() -> None:
    on = state(group(windows="30d", aggregates=["since_run_start"], gap="2d", mode="exact"))
    applied = run(on, row(0), row(5 * DAY), row(6 * DAY), row(8 * DAY), row(9 * DAY))
    assert column(applied)[4] == 4 * 86_400


def test_trimming_takes_both_ends() -> None:
    on = state(group(aggregates=["trimmed_mean amount", "ratio_trimmed amount"], trim=0.2))
    applied = run(on, *(row(i, x) for i, x in enumerate([100, 200, 300, 400, 100_000])), row(9, 600))
    assert applied.features[5].tolist() == [3.0, 2.0]


def test_many_events_sort_as_few_do() -> None:
    on = state(group(aggregates=["trimmed_mean amount"], trim=0.25, cap=4096))
    amounts = [(i * 7919) % 4001 for i in range(4000)]
    found = column(run(on, *(row(i, x) for i, x in enumerate(amounts)), row(4000)))
    assert found[-1] == sum(sorted(amounts)[1000:3000]) / 200_000


def test_state_is_bounded_whatever_the_traffic() -> None:
    on = state(
        group(windows=["5m", "1h", "1d", "30d"], aggregates=["count", "sum amount", "mean amount"]),
        group(windows=["90d"], aggregates=["count"], mode="exact", cap=1024, suffix="x"),
    )
    rows = batch([row(0)] * 10_000)
    for i in range(100):
        times = np.arange(i * 10_000, (i + 1) * 10_000) * 1_000_000
        on.apply(rows.set_column(0, "event_time", times.astype("datetime64[us]")))
    assert on.nbytes < 150_000


def test_pairs_are_told_apart_by_their_parts() -> None:
    on = state(group(entity=["customer_id", "terminal_id"]))
    applied = run(on, row(0, customer_id="1:a", terminal_id="b"), row(0, customer_id="1:", terminal_id="ab"))
    assert column(applied) == [0, 0]


def test_room_that_runs_out_in_the_midst_of_a_row_loses_nothing() -> None:
    plain = group(windows=["1h", "1d", "7d"], aggregates=["count", "sum amount", "first_seen"])
    exact = group(windows=["1d"], aggregates=["count", "distinct device_id"], mode="exact", suffix="x")
    groups = [plain, exact]
    rows = [row(i * MINUTE, i, customer_id=f"c{i % 97}", device_id=f"d{i}") for i in range(4000)]
    at_once, bit_by_bit = state(*groups), state(*groups)
    whole = run(at_once, *rows)
    assert at_once.nbytes > 200_000  # it began with 32 kB
    parts = [run(bit_by_bit, *rows[i : i + 7]).features for i in range(0, len(rows), 7)]
    assert np.array_equal(np.concatenate(parts), whole.features, equal_nan=True)
