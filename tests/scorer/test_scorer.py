import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick import registry
from tallystick.config import Settings
from tallystick.errors import BundleError, UsageError
from tallystick.scorer import Scorer, Want, decision_schema, find_bundles, load_predictor, load_scorer

COMPLAINTS = registry.solution("complaints")
WORDS = [
    "mortgage",
    "credit",
    "card",
    "loan",
    "report",
    "bank",
    "debt",
    "XXXX",
    "{$500.00}",
    "attorney",
    "stolen",
    "the",
    "my",
    "on",
    "Ünïcode",
]

WHOLE = (
    "I paid my mortgage on time every month, but the servicer lost my payment and charged a late fee to my "
    "account. I called the company many times and they told me that they would fix the escrow account, but "
    "they have not done so and my mortgage is now reported as late."
)


@pytest.fixture(scope="module")
def scorer(model: Path) -> Scorer:
    return load_scorer(COMPLAINTS, model, Settings(threads=1))


def rows_of(*texts: str | None, **columns: list[str | None]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {
            "narrative": pa.array(texts, pa.string()),
            **{k: pa.array(v, pa.string()) for k, v in columns.items()},
        }
    )


def decide(scorer: Scorer, rows: pa.RecordBatch) -> list[dict[str, object]]:
    column_mapping = COMPLAINTS.contract.resolve(rows.schema.names)
    return scorer.score(rows, column_mapping, "a.csv").decisions.to_pylist()


TEXTS = st.lists(
    st.one_of(st.none(), st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join), st.text(max_size=60)),
    min_size=1,
    max_size=12,
)


@given(texts=TEXTS, seed=st.integers(0, 100))
def test_a_row_alone_equals_the_row_in_a_batch_in_any_order(scorer: Scorer, texts: list, seed: int) -> None:
    keys = [f"k{i}" for i in range(len(texts))]
    together = {row["id"]: row for row in decide(scorer, rows_of(*texts, complaint_id=keys))}
    order = np.random.default_rng(seed).permutation(len(texts))
    shuffled = decide(scorer, rows_of(*[texts[i] for i in order], complaint_id=[keys[i] for i in order]))
    assert {row["id"]: row for row in shuffled} == together
    for text, key in zip(texts, keys, strict=True):
        alone = decide(scorer, rows_of(text, complaint_id=[key]))
        assert alone == ([together[key]] if key in together else [])


def test_any_number_of_threads_gives_the_same_bits(scorer: Scorer, records: Path) -> None:
    texts = [" ".join(np.random.default_rng(i).choice(WORDS, 40)) for i in range(400)]
    one = scorer.score(rows_of(*texts), COMPLAINTS.contract.resolve(["narrative"])).decisions
    two = (
        replace(scorer, want=Want(threads=3))
        .score(rows_of(*texts), COMPLAINTS.contract.resolve(["narrative"]))
        .decisions
    )
    assert one.equals(two)


def test_a_scorer_that_travelled_decides_the_same(scorer: Scorer) -> None:
    rows = rows_of("They foreclosed on my mortgage", None, "credit card fee")
    assert decide(pickle.loads(pickle.dumps(scorer)), rows) == decide(scorer, rows)


def test_a_decision_has_every_column_in_its_order(scorer: Scorer) -> None:
    rows = rows_of(WHOLE, received_at=["2024-05-01"], complaint_id=["7"])
    (row,) = decide(scorer, rows)
    assert list(row) == decision_schema().names
    assert row["id"] == "7"
    assert row["event_time"].isoformat() == "2024-05-01T00:00:00+00:00"
    assert (row["task"], row["label"], row["late"], row["sequence"]) == ("product", "Mortgage", False, None)
    assert 0 < row["score"] <= 1
    assert row["action"] in ("auto", "review")
    assert set(row["route"]) == {"department", "priority", "due", "rule"}
    assert row["model"].startswith("complaints/product@")
    assert "mortgage" in [reason["feature"] for reason in row["reasons"]]
    effects = [reason["effect"] for reason in row["reasons"]]
    assert effects == sorted(effects, reverse=True)


WITHOUT = {
    "XXXX XXXX XXXX XXXX": "too_little_text",
    "See attached letter. XXXX": "too_little_text",
    "loan": "too_little_text",
    "mortgage mortgage mortgage mortgage mortgage mortgage mortgage mortgage": "too_little_text",
    "Dzień dobry, piszę w sprawie opłaty, którą bank pobrał z mojego rachunku bez mojej zgody. "
    "Proszę o zwrot pieniędzy i wyjaśnienie sprawy na piśmie.": None,
    "Soy víctima de robo de identidad. Alguien abrió cuentas a mi nombre sin mi autorización y "
    "aparecen en mi reporte de crédito. Solicito que eliminen estas cuentas de inmediato.": None,
}


@pytest.mark.parametrize("text", WITHOUT)
def test_a_letter_without_content_goes_to_a_person_and_says_why(scorer: Scorer, text: str) -> None:
    (alone,) = decide(scorer, rows_of(text))
    *_, together = decide(scorer, rows_of(WHOLE, None, text))
    assert alone["action"] == "review"
    assert alone["score"] <= 0.5
    first = alone["reasons"][0]
    assert first["feature"] == (WITHOUT[text] or first["feature"])
    assert first["feature"] in ("too_little_text", "unknown_words")
    assert first["words"]
    assert first["effect"] is None
    assert together["reasons"] == alone["reasons"]
    assert together["score"] == alone["score"]


def test_a_whole_letter_gives_no_such_reason(scorer: Scorer) -> None:
    (row,) = decide(scorer, rows_of(WHOLE))
    assert not {"too_little_text", "unknown_words"} & {reason["feature"] for reason in row["reasons"]}


def test_what_holds_too_little_is_left_to_a_person_whatever_the_threshold(model: Path) -> None:
    every = load_scorer(COMPLAINTS, model, Settings(threads=1, automation=1.0))
    actions = [row["action"] for row in decide(every, rows_of("XXXX XXXX", WHOLE, "loan"))]
    assert actions == ["review", "auto", "review"]


def test_a_model_that_may_know_what_identifies_people_is_refused(model: Path) -> None:
    bundles = find_bundles(COMPLAINTS, model)
    manifest = bundles["product"].manifest
    (part,) = manifest["features"]["parts"]
    older = replace(
        bundles["product"],
        manifest=manifest
        | {
            "features": manifest["features"] | {"parts": [{k: v for k, v in part.items() if k != "left_out"}]}
        },
    )
    with pytest.raises(BundleError, match="card and account numbers"):
        load_predictor(COMPLAINTS, COMPLAINTS.task("product"), older, Settings())


def test_no_text_is_left_to_a_person_and_says_why(scorer: Scorer) -> None:
    (row,) = decide(scorer, rows_of(None))
    assert (row["label"], row["score"], row["action"]) == (None, None, "review")
    assert row["reasons"] == [
        {"feature": "no_text", "value": None, "effect": None, "words": "no text to read"}
    ]


def test_without_a_key_the_id_is_the_place(scorer: Scorer) -> None:
    rows = rows_of("loan", "card", complaint_id=["9", ""])
    column_mapping = COMPLAINTS.contract.resolve(rows.schema.names)
    decisions = scorer.score(rows, column_mapping, "2024/jan.csv", np.array([41, 43])).decisions
    assert decisions.column("id").to_pylist() == ["9", "2024/jan.csv:43"]


def test_bad_rows_are_not_decided_but_reported(scorer: Scorer) -> None:
    rows = rows_of("loan", "card", "bank", received_at=["2024-01-01", "soon", None])
    scored = scorer.score(rows, COMPLAINTS.contract.resolve(rows.schema.names), "a.csv")
    assert scored.decisions.column("id").to_pylist() == ["a.csv:1", "a.csv:3"]
    assert scored.checked.bad.code == ("bad_time",)


def test_no_record_gives_no_decision_whatever_the_number_of_models(scorer: Scorer) -> None:
    two = replace(scorer, predictors=(*scorer.predictors, *scorer.predictors))
    rows = rows_of("x")
    column_mapping = COMPLAINTS.contract.resolve(rows.schema.names)
    for one in (scorer, two):
        found = one.score(rows.slice(0, 0), column_mapping, "a.csv").decisions
        assert (len(found), found.schema) == (0, one.schema)


def test_a_label_column_of_the_input_changes_nothing(scorer: Scorer) -> None:
    with_label = decide(scorer, rows_of("my loan", product=["Mortgage"]))
    blank = decide(scorer, rows_of("my loan", product=[" "]))
    assert with_label == blank == decide(scorer, rows_of("my loan"))


def test_all_scores_add_up_and_name_every_class(scorer: Scorer) -> None:
    (row,) = decide(replace(scorer, want=Want(all_scores=True)), rows_of("my loan"))
    scores = dict(row["scores"])
    assert set(scores) == set(scorer.predictors[0].outputs)
    assert sum(scores.values()) == pytest.approx(1)
    assert scores[row["label"]] == row["score"]


def test_leaving_out_reasons_changes_nothing_else(scorer: Scorer) -> None:
    rows = rows_of("my loan", None, "a stolen card")
    without = decide(replace(scorer, want=Want(reasons=False)), rows)
    assert without == [{k: v for k, v in row.items() if k != "reasons"} for row in decide(scorer, rows)]


def test_wanted_accuracy_and_automation_move_the_threshold(model: Path) -> None:
    strict = load_scorer(COMPLAINTS, model, Settings(accuracy=0.99)).predictors[0].policy
    half = load_scorer(COMPLAINTS, model, Settings(automation=0.5)).predictors[0].policy
    usual = load_scorer(COMPLAINTS, model, Settings()).predictors[0].policy
    assert strict.threshold is None or strict.threshold > usual.threshold
    assert half.automation == pytest.approx(0.5, abs=0.02)
    assert usual.wanted == "accuracy 0.95"


def test_a_folder_without_a_model_and_a_foreign_bundle_are_named(model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="tallystick train complaints"):
        find_bundles(COMPLAINTS, tmp_path)
    with pytest.raises(UsageError, match='no task "prodct"'):
        find_bundles(COMPLAINTS, model, ["prodct"])
    other = replace(COMPLAINTS, name="fraud")
    with pytest.raises(BundleError, match="for complaints product, not for fraud product"):
        find_bundles(other, model)


def test_a_bundle_of_another_contract_version_is_refused(model: Path) -> None:
    newer = replace(COMPLAINTS, contract=replace(COMPLAINTS.contract, version=99))
    with pytest.raises(BundleError, match="version 1 of the complaints contract; this is version 99"):
        find_bundles(newer, model)


def test_a_bundle_that_lacks_an_array_is_refused_by_name(model: Path, tmp_path: Path) -> None:
    from tallystick.models import load, save

    bundle = load(model / "product")
    arrays = {name: array for name, array in bundle.arrays.items() if name != "calibration/prior"}
    manifest = {k: v for k, v in bundle.manifest.items() if k not in ("files", "format", "fingerprint")}
    save(tmp_path / "product", json.loads(json.dumps(manifest)), arrays, "")
    with pytest.raises(BundleError, match="prior"):
        load_scorer(COMPLAINTS, tmp_path, Settings())
