"""The verb: what a source gives is decided once, and the batch says the same."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import tallystick as ts
from tallystick.errors import DataError, TallystickError, UsageError
from tallystick.store import Store


def lines(path: Path) -> dict[str, str]:
    found = {}
    for line in path.read_text().splitlines():
        key = json.loads(line)["id"]
        assert key not in found, f"{key} was delivered twice"
        found[key] = line
    return found


def run(arriving: Path, model: Path, folder: Path, **more: Any) -> Any:
    options: dict[str, Any] = {
        "source": arriving,
        "sink": folder / "out.jsonl",
        "model": model,
        "state": f"sqlite:///{folder / 'state.db'}",
        "until_idle": True,
    }
    return ts.stream("fraud", **(options | more))


def test_in_order_a_stream_decides_what_a_batch_does_and_its_state_replays_it(
    arriving: Path, arriving_model: Path, tmp_path: Path
) -> None:
    streamed = run(arriving, arriving_model, tmp_path)
    assert streamed.figures.events == 4000
    ts.score("fraud", arriving, model=arriving_model, output=tmp_path / "batch.jsonl")
    ts.score("fraud", streamed.state, model=arriving_model, output=tmp_path / "again.jsonl")
    ours = lines(tmp_path / "out.jsonl")
    assert ours == lines(tmp_path / "batch.jsonl")
    assert ours == lines(tmp_path / "again.jsonl")


def test_it_goes_on_where_it_was_and_decides_nothing_twice(
    arriving: Path, arriving_model: Path, tmp_path: Path
) -> None:
    whole = arriving.read_bytes()
    cut = len(whole) // 2
    growing = tmp_path / "growing.jsonl"
    growing.write_bytes(whole[:cut])  # in the middle of a line
    first = run(growing, arriving_model, tmp_path).figures.events
    assert run(growing, arriving_model, tmp_path).figures.events == 0
    with growing.open("ab") as file:
        file.write(whole[cut:])
    rest = run(growing, arriving_model, tmp_path).figures.events
    assert first + rest == 4000
    ts.score("fraud", arriving, model=arriving_model, output=tmp_path / "batch.jsonl")
    assert lines(tmp_path / "out.jsonl") == lines(tmp_path / "batch.jsonl")


def test_a_last_line_without_an_end_is_a_record_once_nobody_writes_any_more(
    arriving: Path, arriving_model: Path, tmp_path: Path
) -> None:
    text = arriving.read_text().splitlines()
    source = tmp_path / "source.jsonl"
    source.write_text("\n".join(text[:30]))
    fresh = run(source, arriving_model, tmp_path).figures
    assert (fresh.events, [note.words for note in fresh.notes]) == (
        29,
        ["source.jsonl: the last line has no end, and waits for its rest"],
    )
    then = source.stat().st_mtime - 60
    os.utime(source, (then, then))
    assert run(source, arriving_model, tmp_path).figures.events == 1
    with source.open("a") as file:
        file.write("\n" + "\n".join(text[30:40]) + "\n" + text[40][:25])
    os.utime(source, (then, then))
    assert run(source, arriving_model, tmp_path).figures.events == 10  # half a record is none, however old
    with source.open("a") as file:
        file.write(text[40][25:] + "\n")
    last = run(source, arriving_model, tmp_path).figures
    assert (last.events, last.bad, last.duplicates) == (1, 0, 0)
    assert len(lines(tmp_path / "out.jsonl")) == 41


def test_most_events_are_a_bound_and_the_rest_comes_later(
    arriving: Path, arriving_model: Path, tmp_path: Path
) -> None:
    assert run(arriving, arriving_model, tmp_path, max_events=1000).figures.events == 1000
    assert run(arriving, arriving_model, tmp_path).figures.events == 3000


def test_duplicates_make_no_second_row_and_poison_goes_to_quarantine(
    arriving: Path, arriving_model: Path, tmp_path: Path
) -> None:
    some = arriving.read_text().splitlines()[:200]
    again = [some[0], some[100]]
    other_card = json.dumps(json.loads(some[7]) | {"customer_id": "C-other"})
    poison = ["{not json", json.dumps(json.loads(some[1]) | {"transaction_id": "T-bad", "amount": "much"})]
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_text("\n".join([*some[:150], *again, other_card, *poison, *some[150:]]) + "\n")
    streamed = run(mixed, arriving_model, tmp_path, quarantine=tmp_path / "bad.jsonl")
    seen = streamed.figures
    assert (seen.events, seen.duplicates, seen.bad) == (200, 3, 2)
    assert set(lines(tmp_path / "out.jsonl")) == {json.loads(one)["transaction_id"] for one in some}
    bad = [json.loads(line) for line in (tmp_path / "bad.jsonl").read_text().splitlines()]
    assert sorted(one["code"] for one in bad) == ["bad_json", "not_a_number"]
    assert [one["row"] for one in bad] == [154, 155]


def test_a_key_that_comes_again_after_the_horizon_is_another_payment_in_every_mode(
    arriving: Path, arriving_model: Path, tmp_path: Path
) -> None:
    def payment(key: str, time: str) -> str:
        row = {"transaction_id": key, "event_time": time, "customer_id": "C1", "terminal_id": "T1"}
        return json.dumps(row | {"amount": 5}) + "\n"

    days = ["2025-01-01", "2025-03-31", "2025-04-02", "2025-06-30", "2025-09-01"]  # 0, 89, 91, 180, 243
    source, first = tmp_path / "again.jsonl", tmp_path / "first.jsonl"
    source.write_text("".join(payment("A", f"{day}T12:00:00Z") for day in days))
    streamed = run(source, arriving_model, tmp_path, sink=tmp_path / "s.jsonl")
    assert (streamed.figures.events, streamed.figures.duplicates) == (3, 2)
    batch = ts.score("fraud", source, model=arriving_model, output=tmp_path / "b.jsonl").input_report
    assert (batch.rows_clean, batch.rows_duplicate) == (3, 2)
    assert (tmp_path / "s.jsonl").read_text() == (tmp_path / "b.jsonl").read_text()
    first.write_text(payment("A", f"{days[0]}T12:00:00Z"))
    source.write_text("".join(payment("A", f"{day}T12:00:00Z") for day in days[1:]))
    warmed = ts.score(
        "fraud", source, model=arriving_model, history=first, output=tmp_path / "h.jsonl"
    ).input_report
    assert (warmed.rows_clean, warmed.rows_duplicate) == (2, 2)


def test_labels_come_as_a_stream_of_their_own(arriving: Path, arriving_model: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in arriving.read_text().splitlines()[:1500]]
    bare = [{k: v for k, v in row.items() if k not in ("is_fraud", "known_at", "scenario")} for row in rows]
    source, labels = tmp_path / "source.jsonl", tmp_path / "labels.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in bare[:1000]))
    labels.write_text("")
    run(source, arriving_model, tmp_path, labels=labels)
    fraud = [row["transaction_id"] for row in rows[:1000]][10:40]
    with labels.open("a") as file:
        for key in [*fraud, fraud[0], "T-nobody"]:
            file.write(json.dumps({"transaction_id": key, "is_fraud": 1}) + "\n")
    streamed = run(source, arriving_model, tmp_path, labels=labels)
    assert (streamed.figures.events, streamed.figures.bad) == (0, 1)
    with source.open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in bare[1000:])
    run(source, arriving_model, tmp_path, labels=labels)
    with Store.open(streamed.state) as store:
        assert store.quarantine("fraud").column("code").to_pylist() == ["unknown_event"]
    ts.score("fraud", streamed.state, model=arriving_model, output=tmp_path / "again.jsonl")
    assert lines(tmp_path / "out.jsonl") == lines(tmp_path / "again.jsonl")
    ts.features("fraud", streamed.state, output=tmp_path / "features.jsonl")
    told = [json.loads(line) for line in (tmp_path / "features.jsonl").read_text().splitlines()]
    risks = [name for name in told[0] if "known_fraud" in name and "__count__" in name]
    assert risks
    assert any(row[name] for row in told for name in risks)
    # A state warms another one: its records, and labels that count from when they arrived.
    last = next(row for row in bare if row["transaction_id"] == fraud[0])
    next_one = tmp_path / "next.jsonl"
    next_one.write_text(json.dumps(last | {"transaction_id": "T-next", "event_time": _now()}) + "\n")
    new = ts.stream(
        "fraud", source=next_one, sink=tmp_path / "next.out.jsonl", model=arriving_model,
        state=f"sqlite:///{tmp_path / 'new.db'}", history=streamed.state, until_idle=True,
    )  # fmt: skip
    (row,) = (json.loads(line) for line in (tmp_path / "next.out.jsonl").read_text().splitlines())
    counted = sum(one["customer_id"] == last["customer_id"] for one in bare)
    assert row["sequence"]["customer_id"] > counted + 1  # after its payments, and labels of them
    assert new.figures.events == 1


def _now() -> str:
    return datetime.now(UTC).isoformat()


def test_a_lone_poison_record_after_a_restart_stops_nothing(
    arriving: Path, arriving_model: Path, tmp_path: Path
) -> None:
    some = arriving.read_text().splitlines()
    parts = tmp_path / "parts"
    parts.mkdir()
    (parts / "a.jsonl").write_text("\n".join(some[:20]) + "\n")
    run(parts, arriving_model, tmp_path)
    (parts / "b.jsonl").write_text('{"heartbeat": 1}\n')
    poisoned = run(parts, arriving_model, tmp_path).figures
    assert (poisoned.events, poisoned.bad) == (0, 1)
    (parts / "c.jsonl").write_text("\n".join(some[20:30]) + "\n")
    streamed = run(parts, arriving_model, tmp_path)
    assert streamed.figures.events == 10
    # The entry without a record is no trouble to who reads the log.
    ts.score("fraud", streamed.state, model=arriving_model, output=tmp_path / "again.jsonl")
    assert lines(tmp_path / "out.jsonl") == lines(tmp_path / "again.jsonl")


def test_labels_do_not_overtake_their_records(arriving: Path, arriving_model: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in arriving.read_text().splitlines()]
    bare = [{k: v for k, v in row.items() if k not in ("is_fraud", "known_at", "scenario")} for row in rows]
    source, labels = tmp_path / "source.jsonl", tmp_path / "labels.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in bare))
    labels.write_text(
        "".join(
            json.dumps({"transaction_id": row["transaction_id"], "is_fraud": 1}) + "\n" for row in bare[::40]
        )
    )
    streamed = run(source, arriving_model, tmp_path, labels=labels)
    assert (streamed.figures.events, streamed.figures.bad) == (4000, 0)
    ts.features(
        "fraud", streamed.state, output=tmp_path / "features.jsonl"
    )  # the log replays, labels and all


def test_what_is_not_yet_when_it_arrives_lies_in_the_future(arriving_model: Path, tmp_path: Path) -> None:
    source = tmp_path / "future.jsonl"
    row = {
        "transaction_id": "A",
        "event_time": "2099-01-01",
        "customer_id": "C",
        "amount": 1,
        "terminal_id": "T",
    }
    source.write_text(json.dumps(row) + "\n")
    streamed = run(source, arriving_model, tmp_path)
    with Store.open(streamed.state) as store:
        assert store.quarantine("fraud").column("code").to_pylist() == ["future_time"]


def test_no_password_is_shown(arriving: Path, arriving_model: Path, tmp_path: Path) -> None:
    titles: list[str] = []

    def show(_: Any, title: str) -> Any:
        titles.append(title)
        return nullcontext()

    run(arriving, arriving_model, tmp_path, show=show, max_events=1)
    assert titles == [f"fraud: file://{arriving}"]
    for uri in (
        "postgresql://tally:s3cret@127.0.0.1:1/bank?table=x",
        "kafka://127.0.0.1:1/t?sasl.password=s3cret&socket.timeout.ms=100",
    ):
        with pytest.raises(TallystickError) as refused:
            run(uri, arriving_model, tmp_path, show=show)
        assert "s3cret" not in str(refused.value) + "".join(titles)


def test_every_sink_gets_the_same(arriving: Path, arriving_model: Path, tmp_path: Path) -> None:
    table = f"sqlite:///{tmp_path / 'out.db'}?table=decisions"
    run(arriving, arriving_model, tmp_path, sink=[tmp_path / "out.jsonl", table], max_events=1500)
    run(arriving, arriving_model, tmp_path, sink=[tmp_path / "out.jsonl", table])
    connection = sqlite3.connect(tmp_path / "out.db")
    found = dict(connection.execute("SELECT id, score FROM decisions"))
    connection.close()
    assert found == {key: json.loads(line)["score"] for key, line in lines(tmp_path / "out.jsonl").items()}


def test_a_sink_that_is_new_gets_all_that_is_kept(
    arriving: Path, arriving_model: Path, tmp_path: Path
) -> None:
    run(arriving, arriving_model, tmp_path, max_events=1500)
    run(arriving, arriving_model, tmp_path, sink=tmp_path / "other.jsonl")
    assert len(lines(tmp_path / "other.jsonl")) == 4000


def test_a_sink_that_is_gone_can_be_forgotten(arriving: Path, arriving_model: Path, tmp_path: Path) -> None:
    gone, here = tmp_path / "gone.jsonl", tmp_path / "here.jsonl"
    run(arriving, arriving_model, tmp_path, sink=[gone, here], max_events=10)

    def said(**more: Any) -> str:
        done = run(arriving, arriving_model, tmp_path, sink=here, max_events=10, **more)
        return " ".join(note.words for note in done.figures.notes)

    assert said() == ""  # it has all that there was
    assert f"{gone.as_uri()} is not delivered to now" in said()
    assert said(forget_sink=[gone.as_uri()]) == ""
    assert said() == ""
    assert f"Nothing is kept for {gone.as_uri()}" in said(forget_sink=[gone.as_uri()])  # a restart goes on
    with pytest.raises(UsageError, match="cannot be forgotten"):
        said(forget_sink=[here.as_uri()])


AGGREGATES = """
aggregates:
  - {name: day, every: 1d, by: [action], of: [count, sum amount, mean score], anomaly: count}
  - {name: terminals, every: 6h, over: 1d, by: [terminal_id], of: [count, share action == "accept"]}
"""


def test_aggregates_are_the_same_however_often_it_was_stopped(
    arriving: Path, arriving_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "added.yaml").write_text(AGGREGATES)
    found = []
    for name, cuts in (("whole", [None]), ("cut", [700, 1, 1500, None])):
        folder = tmp_path / name
        folder.mkdir()
        added = {"aggregates": tmp_path / "added.yaml", "aggregates_sink": str(folder / "added.jsonl")}
        for most in cuts:
            done = run(
                arriving, arriving_model, folder, max_events=most, set={"snapshot_every": "400"}, **added
            )
        assert any("are open" in note.words for note in done.figures.notes)
        found.append([json.loads(line) for line in (folder / "added.jsonl").read_text().splitlines()])
    whole, parts = found
    assert whole == parts
    assert [row["number"] for row in whole] == list(range(1, len(whole) + 1))
    days = [row for row in whole if row["name"] == "day" and row["value_name"] == "count"]
    assert 3500 < sum(row["value"] for row in days) <= 4000  # the last day is still open


def test_people_hear_of_what_fits_once(arriving: Path, arriving_model: Path, tmp_path: Path) -> None:
    (tmp_path / "who.yaml").write_text(
        "channels: {screen: {kind: console}}\nrules: [{when: {action: [review, decline]}, channel: screen}]\n"
    )
    said: list[str] = []
    streamed = run(arriving, arriving_model, tmp_path, notify=tmp_path / "who.yaml", say=said.append)
    alerts = [key for key, line in lines(tmp_path / "out.jsonl").items() if '"action":"accept"' not in line]
    assert alerts
    assert len(said) == len(alerts) == streamed.figures.notices["screen"]["sent"]
    assert all(any(key in line for line in said) for key in alerts)
    run(arriving, arriving_model, tmp_path, notify=tmp_path / "who.yaml", say=said.append)
    assert len(said) == len(alerts)


def test_a_shadow_decides_unheard(arriving: Path, arriving_model: Path, tmp_path: Path) -> None:
    streamed = run(arriving, arriving_model, tmp_path, shadow=arriving_model, max_events=300)
    assert len(lines(tmp_path / "out.jsonl")) == streamed.figures.decisions == 300
    connection = sqlite3.connect(tmp_path / "state.db")
    counts = dict(connection.execute("SELECT task, count(*) FROM ts_decisions GROUP BY task"))
    connection.close()
    assert counts == {"fraud": 300, "fraud@shadow": 300}


def test_a_new_model_takes_over_without_a_stop(arriving: Path, arriving_model: Path, tmp_path: Path) -> None:
    import shutil
    import threading
    import time

    folder = tmp_path / "model"
    shutil.copytree(arriving_model, folder)
    other = tmp_path / "other"
    ts.train("fraud", arriving, model=other, set={"seed": "5"})

    def swap() -> None:
        time.sleep(1.0)
        shutil.rmtree(folder / "fraud")
        shutil.copytree(other / "fraud", folder / "fraud")

    thread = threading.Thread(target=swap)
    thread.start()
    run(arriving, folder, tmp_path, rate=700.0)
    thread.join()
    models = [json.loads(line)["model"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert len(models) == 4000
    assert len(set(models)) == 2
    assert models == sorted(models, key=models.index)  # one after the other, not mixed


def test_a_state_of_another_meaning_is_refused(arriving: Path, arriving_model: Path, tmp_path: Path) -> None:
    run(arriving, arriving_model, tmp_path, max_events=10)
    with pytest.raises(TallystickError, match="allowed lateness"):
        run(arriving, arriving_model, tmp_path, set={"allowed_lateness": "1h"})


def test_wrong_options_are_said_before_anything_is_read(
    arriving: Path, arriving_model: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="goes on where a record is bad"):
        run(arriving, arriving_model, tmp_path, strict=True)
    with pytest.raises(UsageError, match="cannot end after -5"):
        run(arriving, arriving_model, tmp_path, max_events=-5)
    with pytest.raises(UsageError, match="less than a day"):
        run(arriving, arriving_model, tmp_path, set={"retention": "12h"})
    with pytest.raises(UsageError, match="Aggregates want both"):
        run(arriving, arriving_model, tmp_path, aggregates_sink="a.jsonl")
    with pytest.raises(UsageError, match=r"ends in \.html"):
        run(arriving, arriving_model, tmp_path, report=tmp_path / "report.txt")
    for wrong in ({"sink": arriving}, {"sink": arriving_model / "out.jsonl"}, {"sink": ["a.csv", "./a.csv"]}):
        with pytest.raises(UsageError):
            run(arriving, arriving_model, tmp_path, **wrong)
    strange = tmp_path / "strange.jsonl"
    strange.write_text('{"a": 1}\n')
    with pytest.raises(DataError):
        run(strange, arriving_model, tmp_path)
