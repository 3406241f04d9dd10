"""Routing, rules and notifications that name what there is not are said; a bank's own classes are routed."""

from pathlib import Path

import polars as pl
import pytest

import tallystick as ts

OWN = {
    "Credit card": "credit_card", "Mortgage": "mortgages_and_loans",
    "Checking or savings account": "current account (crypto)",
}  # fmt: skip
FORECLOSURE = "My mortgage is in foreclosure and the sheriff sale of my house is next week."


@pytest.fixture(scope="module")
def own_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    ts.simulate("complaints", rows=1500, output=folder / "c.parquet", seed=9)
    frame = pl.read_parquet(folder / "c.parquet").filter(pl.col("product").is_in(list(OWN)))
    ts.train(
        "complaints", frame.with_columns(pl.col("product").replace(OWN)), model=folder / "m", task=["product"]
    )
    return folder / "m"


def score(model: Path, folder: Path, **options: object) -> tuple[list[dict], tuple[str, ...]]:
    frame = pl.DataFrame({"complaint_id": ["1"], "received_at": ["2024-03-01"], "narrative": [FORECLOSURE]})
    done = ts.score("complaints", frame, model=model, output=folder / "d.parquet", **options)
    return pl.read_parquet(folder / "d.parquet").to_dicts(), done.input_report.notes


def test_the_default_routing_knows_the_classes_of_a_bank(own_model: Path, tmp_path: Path) -> None:
    decisions, notes = score(own_model, tmp_path)
    assert decisions[0]["label"] == "mortgages_and_loans"
    route = decisions[0]["route"]
    assert (route["rule"], route["department"], route["priority"]) == (
        "Home about to be lost",
        "Mortgages",
        "urgent",
    )
    said = " ".join(notes)
    assert 'Routing: "mortgages_and_loans" is routed as "Mortgage".' in notes
    assert 'Routing: Classes that no rule names: "current account (crypto)".' in notes
    assert "Rules that never apply, for classes that the model does not have: " in said
    assert "--set routing=FILE" in said


def test_the_public_classes_need_no_word(model: Path, tmp_path: Path) -> None:
    _, notes = score(model, tmp_path)
    assert not [note for note in notes if "no rule names" in note or "is routed as" in note]


def test_a_routing_file_that_names_what_there_is_not(own_model: Path, tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(
        "version: 1\ndefault: {department: Desk, priority: normal, due: 15 days}\nrules:\n"
        "  - name: homes\n    when: {product: Mortgage}\n    then: {department: Homes}\n"
        "  - name: elders\n    when: {tags: [Older Amercan], action: declin}\n    then: {priority: high}\n"
    )
    _, notes = score(own_model, tmp_path, set={"routing": str(tmp_path / "r.yaml")})
    assert any('line 5: "homes", product: "Mortgage" is not known' in note for note in notes)
    assert any('tags: "Older Amercan" is not known. Did you mean "Older American"?' in note for note in notes)
    assert any('action: "declin" is not known' in note for note in notes)


def test_notifications_that_can_never_be_sent_are_said(model: Path, tmp_path: Path) -> None:
    frame = pl.DataFrame({"complaint_id": ["1"], "received_at": ["2024-03-01"], "narrative": [FORECLOSURE]})
    frame.write_ndjson(tmp_path / "in.jsonl")
    (tmp_path / "n.yaml").write_text(
        "channels:\n  screen: {kind: console}\nrules:\n"
        "  - {name: a, when: {department: Mortgage desk}, channel: screen}\n"
        "  - {name: b, when: {label: Mortgages}, channel: screen}\n"
        "  - {name: c, when: {action: decline, rule: Lawyers}, channel: screen}\n"
        "  - {name: d, when: {department: Mortgages, label: Mortgage, action: review}, channel: screen}\n"
    )
    done = ts.stream(
        "complaints", source=tmp_path / "in.jsonl", sink=tmp_path / "out.jsonl", model=model,
        notify=tmp_path / "n.yaml", until_idle="1s", state=f"sqlite:///{tmp_path}/s.db",
    )  # fmt: skip
    said = " ".join(note.words for note in done.figures.notes)
    for name in ("Mortgage desk", "Mortgages", "decline", "Lawyers"):
        assert f'"{name}" is not known' in said
    assert "line 7" not in said
