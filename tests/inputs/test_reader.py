import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tallystick as ts
from tallystick.errors import DataError, DataWarning, UsageError

HEADER = "complaint_id,received_at,narrative,product\n"


def write(path: Path, *lines: str) -> Path:
    path.write_text(HEADER + "".join(line + "\n" for line in lines))
    return path


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_row_is_accounted_for(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        "1,2024-01-01,my loan,Mortgage",
        "2,soon,my card,Credit card",
        "3,2024-01-01,a bank, ",
        "1,2024-01-02,my loan again,Mortgage",
        "4,2024-01-01,too,many,cells",
    )
    output = tmp_path / "clean.csv"
    report = ts.validate("complaints", path, output=output).input_report
    assert (report.rows_in, report.rows_clean, report.rows_quarantined, report.rows_duplicate) == (5, 1, 3, 1)
    assert report.reasons == {"bad_time": 1, "blank_label": 1, "ragged_row": 1}
    bad = lines(Path(f"{output}.quarantine.jsonl"))
    assert [(row["file"], row["row"], row["code"]) for row in bad] == [
        ("a.csv", 2, "bad_time"),
        ("a.csv", 3, "blank_label"),
        ("a.csv", 5, "ragged_row"),
    ]
    assert bad[0]["column"] == "received_at"
    assert bad[0]["value"] == "soon"
    (again,) = lines(Path(f"{output}.duplicates.jsonl"))
    assert (again["key"], again["row"], again["kept_row"]) == ("1", 4, 1)
    assert pl.read_csv(output)["complaint_id"].to_list() == [1]


def test_the_earliest_of_a_key_stays_wherever_it_stands(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder / "a.csv", "1,2024-03-01,late,Mortgage", "2,,no time,Mortgage")
    write(folder / "b.csv", "1,2024-01-01,early,Mortgage", "2,2024-05-01,with time,Mortgage")
    output = tmp_path / "clean.jsonl"
    report = ts.validate("complaints", folder, output=output).input_report
    assert report.rows_duplicate == 2
    assert [row["narrative"] for row in lines(output)] == ["early", "with time"]
    assert [row["kept_file"] for row in lines(Path(f"{output}.duplicates.jsonl"))] == ["b.csv", "b.csv"]


KEYED = st.lists(
    st.tuples(st.sampled_from(["1", "2", ""]), st.sampled_from(["", "2024-01-01", "2024-01-02", "x"]))
)


@given(rows=KEYED.filter(lambda rows: any(t != "x" for _, t in rows)), batch=st.integers(1, 4))
def test_duplicates_are_those_of_a_slow_reference(rows: list, batch: int, tmp_path_factory: object) -> None:
    folder = tmp_path_factory.mktemp("in")  # type: ignore[attr-defined]
    path = write(folder / "a.csv", *(f"{k},{t},n{i},Mortgage" for i, (k, t) in enumerate(rows)))
    good = [(k, t == "", t, i) for i, (k, t) in enumerate(rows) if t != "x"]
    stay = {min(r[1:] for r in good if r[0] == k)[2] for k in "12" if any(r[0] == k for r in good)}
    stay |= {i for k, _, _, i in good if k == ""}
    settings = {"batch_rows": batch, "threads": 2}
    output = folder / "out.jsonl"
    report = ts.validate("complaints", path, output=output, set=settings).input_report
    assert [row["narrative"] for row in lines(output)] == [f"n{i}" for i in sorted(stay)]
    assert report.rows_in == len(rows) == report.rows_clean + report.rows_quarantined + report.rows_duplicate
    counted = ts.validate("complaints", path, set=settings).input_report
    assert counted.to_dict() | {"notes": []} == report.to_dict() | {"notes": []}


def test_running_twice_writes_the_same_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "1,2024-01-01,x,Mortgage", "1,2024-01-01,y,Mortgage", "2,no,z,Mortgage")
    output = tmp_path / "clean.csv"
    seen = []
    for _ in range(2):
        ts.validate("complaints", path, output=output)
        seen.append({p.name: p.read_bytes() for p in tmp_path.iterdir()})
    assert seen[0] == seen[1]


def test_a_better_run_takes_old_bad_rows_away(tmp_path: Path) -> None:
    output = tmp_path / "clean.csv"
    bad = write(tmp_path / "a.csv", "1,no,x,Mortgage", "2,2024-01-01,x,Mortgage", "2,2024-01-01,x,Mortgage")
    ts.validate("complaints", bad, output=output)
    assert len(list(tmp_path.iterdir())) == 4
    write(bad, "1,2024-01-01,x,Mortgage")
    ts.validate("complaints", bad, output=output)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "clean.csv"]


def test_a_refused_input_leaves_no_output_but_its_bad_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "1,2024-01-01,x,Mortgage", "2,never,x,Mortgage")
    output = tmp_path / "clean.csv"
    output.write_text("what was here before")
    with pytest.raises(DataError, match="1 of 2 rows are in quarantine"):
        ts.validate("complaints", path, output=output, strict=True)
    assert output.read_text() == "what was here before"
    assert lines(Path(f"{output}.quarantine.jsonl"))[0]["row"] == 2
    with pytest.raises(DataError, match="max-quarantine"):
        ts.validate("complaints", path, max_quarantine="49%")
    ts.validate("complaints", path, max_quarantine=".5")


def test_no_usable_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="None of 2 rows can be used: 2 bad_time"):
        ts.validate("complaints", write(tmp_path / "a.csv", "1,no,x,Mortgage", "2,no,x,Mortgage"))
    with pytest.raises(DataError, match="header but no row"):
        ts.validate("complaints", write(tmp_path / "b.csv"))


def test_what_is_later_than_as_of_is_in_the_future(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "1,2024-01-01,x,Mortgage", "2,2024-01-02,x,Mortgage")
    report = ts.validate("complaints", path, as_of="2024-01-01").input_report
    assert report.reasons == {"future_time": 1}


def test_a_missing_column_is_named_with_what_is_there(tmp_path: Path, model: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,naration\n1,hello\n")
    with pytest.raises(DataError, match=r"narrative, what product looks at. Found: id, naration"):
        ts.score("complaints", path, model=model, output=tmp_path / "out.csv")
    decisions = tmp_path / "out.jsonl"
    ts.score("complaints", path, model=model, output=decisions, map={"naration": "narrative"})
    assert lines(decisions)[0]["id"] == "1"


def test_output_over_the_input_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "1,2024-01-01,x,Mortgage")
    before = path.read_bytes()
    with pytest.raises(UsageError, match="the input itself"):
        ts.validate("complaints", path, output=path)
    assert path.read_bytes() == before


def test_batches_and_threads_change_nothing(records: Path, model: Path, tmp_path: Path) -> None:
    outputs = []
    for number, (rows, threads) in enumerate([(4096, 1), (37, 2), (500, 4)]):
        output = tmp_path / f"{number}.csv"
        ts.score(
            "complaints", records, model=model, output=output, set={"batch_rows": rows, "threads": threads}
        )
        outputs.append(output.read_bytes())
    assert outputs[0] == outputs[1] == outputs[2]


@pytest.mark.parametrize("kind", ["pandas", "polars", "lazy", "arrow", "batch"])
def test_a_frame_comes_back_as_its_own_kind(kind: str, records: Path, model: Path, tmp_path: Path) -> None:
    frame = pl.read_csv(records, infer_schema=False)
    given_ = {
        "pandas": frame.to_pandas,
        "polars": lambda: frame,
        "lazy": frame.lazy,
        "arrow": frame.to_arrow,
        "batch": lambda: frame.to_arrow().combine_chunks().to_batches()[0],
    }[kind]()
    decisions = ts.score("complaints", given_, model=model)
    if kind == "lazy":
        decisions = decisions.collect()
    wanted = {"pandas": "DataFrame", "polars": "DataFrame", "lazy": "DataFrame"}.get(kind, "Table")
    assert type(decisions).__name__ == wanted
    output = tmp_path / "out.parquet"
    ts.score("complaints", records, model=model, output=output)
    ids = decisions["id"].to_pylist() if wanted == "Table" else list(decisions["id"])
    scores = decisions["score"].to_pylist() if wanted == "Table" else list(decisions["score"])
    expected = pl.read_parquet(output)
    assert ids == expected["id"].to_list()
    assert np.array_equal(np.array(scores, float), expected["score"].to_numpy(), equal_nan=True)


def test_anything_else_is_no_frame(model: Path) -> None:
    with pytest.raises(UsageError, match="A dict is no input"):
        ts.score("complaints", {"narrative": ["x"]}, model=model)


@pytest.mark.parametrize("bad", ["soon", "2024-01-02"])
def test_quarantine_and_report_never_take_the_place_of_the_input(
    bad: str, tmp_path: Path, model: Path
) -> None:
    path = write(tmp_path / "a.csv", "1,2024-01-01,my loan,Mortgage", f"2,{bad},my card,Credit card")
    before = path.read_bytes()
    with pytest.raises(UsageError, match="the input itself"):
        ts.validate("complaints", path, quarantine=path)
    with pytest.raises(UsageError, match="a report is an HTML page"):
        ts.evaluate("complaints", path, model=model, report=path)
    with pytest.raises(UsageError, match="both --output and --quarantine"):
        ts.validate("complaints", path, output=tmp_path / "x.jsonl", quarantine=tmp_path / "x.jsonl")
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_a_quarantine_that_was_asked_for_is_emptied_not_deleted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "1,2024-01-01,my loan,Mortgage")
    beside = tmp_path / "bad.jsonl"
    beside.write_text("an older run's\n")
    ts.validate("complaints", path, quarantine=beside)
    assert beside.read_text() == ""


def test_an_input_that_changes_between_passes_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tallystick.inputs.work import ChunkWork

    monkeypatch.setattr(ChunkWork, "_without_skipped", lambda self, chunk: chunk)
    path = write(tmp_path / "a.csv", "1,2024-01-01,x,Mortgage", "1,2024-01-01,y,Mortgage")
    with pytest.raises(DataError, match="changed while it was read"):
        ts.validate("complaints", path, output=tmp_path / "out.csv")


def test_the_decisions_of_a_path_need_an_output(tmp_path: Path, model: Path) -> None:
    with pytest.raises(UsageError, match="need an output"):
        ts.score("complaints", write(tmp_path / "a.csv", "1,2024-01-01,x,Mortgage"), model=model)


def test_a_routing_rule_for_a_class_that_the_model_lacks_is_said(tmp_path: Path, model: Path) -> None:
    rules = tmp_path / "routing.yaml"
    rules.write_text(
        "version: 1\ndefault: {department: Desk, priority: normal, due: 2 days}\n"
        "rules:\n  - name: Homes\n    when: {product: Mortage}\n    then: {department: Homes}\n"
    )
    path = write(tmp_path / "a.csv", "1,2024-01-01,x,Mortgage")
    options = {"model": model, "output": tmp_path / "o.csv", "set": {"routing": str(rules)}}
    assert "Mortage" in " ".join(ts.score("complaints", path, **options).input_report.notes)


def test_a_second_pass_counts_once(tmp_path: Path, model: Path) -> None:
    path = write(tmp_path / "a.csv", "1,2024-01-01,my loan,Mortgage", "1,2024-01-02,my loan,Mortgage")
    result = ts.score("complaints", path, model=model, output=tmp_path / "o.csv")
    assert result.decisions == sum(result.counts["actions"].values()) == 1
    frame = pl.read_csv(path, infer_schema=False)
    with pytest.warns(DataWarning, match="Of 2 rows 1 duplicate"):
        assert len(ts.score("complaints", frame, model=model)) == 1


def test_files_beside_the_output_never_take_the_place_of_the_input_or_the_model(
    tmp_path: Path, model: Path
) -> None:
    for ending in ("quarantine", "duplicates"):
        path = write(tmp_path / f"o.csv.{ending}.csv", "1,2024-01-01,my loan,Mortgage")
        path = path.rename(tmp_path / f"o.csv.{ending}.jsonl")
        path.write_text('{"complaint_id": "1", "narrative": "my loan"}\n')
        with pytest.raises(UsageError, match="the input itself"):
            ts.score("complaints", path, model=model, output=tmp_path / "o.csv")
        assert path.is_file()
    path = write(tmp_path / "a.csv", "1,2024-01-01,my loan,Mortgage")
    with pytest.raises(UsageError, match="lies in the model folder"):
        ts.score("complaints", path, model=model, output=model / "product" / "manifest.json")


def test_a_refused_input_says_where_its_bad_rows_are(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "1,2024-01-01,x,Mortgage", "2,never,x,Mortgage")
    with pytest.raises(DataError, match=r"The bad rows are in .*out\.csv\.quarantine\.jsonl"):
        ts.validate("complaints", path, output=tmp_path / "out.csv", strict=True)


def test_an_argument_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "1,2024-01-01,x,Mortgage")
    with pytest.raises(UsageError, match=r'no argument "stric"\.\nDid you mean "strict"'):
        ts.validate("complaints", path, stric=True)
