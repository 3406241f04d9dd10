import hashlib
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tallystick.errors import UsageError
from tallystick.solutions.complaints.simulator import simulate
from tallystick.solutions.complaints.simulator.draws import Draws, Weighted
from tallystick.solutions.complaints.simulator.grammar import grammar
from tallystick.solutions.complaints.taxonomy import PRODUCTS

COLUMNS = [
    "complaint_id", "received_at", "narrative", "product", "sub_product", "issue", "sub_issue", "company",
    "customer_id", "state", "zip_code", "tags", "submitted_via",
]  # fmt: skip


def table(rows: int, seed: int = 0, preset: str = "default") -> pa.Table:
    return pa.Table.from_batches(list(simulate(rows, seed, preset)))


def digest(rows: int, seed: int = 0, preset: str = "default") -> str:
    sha = hashlib.sha256()
    for batch in simulate(rows, seed, preset):
        sha.update(repr(batch.to_pylist()).encode())
    return sha.hexdigest()


@pytest.fixture(scope="module")
def letters() -> pa.Table:
    return table(20_000, seed=4)


def words_of(letters: pa.Table) -> np.ndarray:
    return pc.list_value_length(pc.utf8_split_whitespace(letters["narrative"].drop_null())).to_numpy()


@pytest.mark.parametrize("preset", ["default", "clean", "hostile"])
def test_the_same_arguments_give_the_same_rows(preset: str) -> None:
    first = digest(300, 7, preset)
    grammar.cache_clear()
    assert digest(300, 7, preset) == first
    assert digest(300, 8, preset) != first


def test_another_seed_gives_other_letters() -> None:
    for name in ("narrative", "received_at", "product", "state"):
        assert table(300, seed=7)[name] != table(300, seed=8)[name], name


def test_chance_is_pinned() -> None:
    """These numbers may never change: a demo of today must be the demo of every platform and version."""
    draws = Draws(1, 2)
    assert draws.below(1000, 5).tolist() == [448, 430, 419, 277, 821]
    assert draws.one(1000) == 49
    assert Weighted([[1, 3], [5, 5]]).draw(draws, np.array([0, 0, 0, 1, 1, 1])).tolist() == [0, 1, 1, 2, 3, 3]


def test_weights_are_kept() -> None:
    drawn = Weighted([[1, 3], [0, 7]]).draw(Draws(3), np.repeat([0, 1], 40_000))
    counts = np.bincount(drawn, minlength=4)
    assert abs(counts[1] / 40_000 - 0.75) < 0.01
    assert counts[2:].tolist() == [0, 40_000]


@pytest.mark.parametrize("rows", [0, 1, 8191, 8192, 8193])
def test_any_number_of_rows_comes_in_bounded_batches(rows: int) -> None:
    batches = list(simulate(rows))
    assert sum(batch.num_rows for batch in batches) == rows
    assert all(0 < batch.num_rows <= 8192 for batch in batches)


def test_a_large_run_starts_at_once() -> None:
    batch = next(simulate(10**9, seed=1))
    assert batch.num_rows == 8192
    assert batch["received_at"][-1].as_py() < datetime(2024, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rows", "seed", "preset"), [(1, 0, "defalt"), (-1, 0, "default"), (1, -1, "default")]
)
def test_what_cannot_be_simulated_is_a_usage_error(rows: int, seed: int, preset: str) -> None:
    with pytest.raises(UsageError, match='Did you mean "default"' if preset == "defalt" else "negative"):
        simulate(rows, seed, preset)


def test_columns_are_the_contracts(letters: pa.Table) -> None:
    assert letters.column_names == COLUMNS
    assert letters.schema.field("received_at").type == pa.timestamp("us", "UTC")
    assert len(letters["complaint_id"].unique()) == len(letters)
    for name in COLUMNS:
        if name not in ("narrative", "sub_issue", "tags"):
            assert letters[name].null_count == 0, name
    assert pc.all(pc.match_substring_regex(letters["zip_code"], r"^\d{3}(XX|\d\d)$")).as_py()


def test_products_are_the_cfpbs_and_skewed_like_theirs(letters: pa.Table) -> None:
    shares = Counter(letters["product"].to_pylist())
    assert set(shares) == set(PRODUCTS)
    assert [name for name, _ in shares.most_common(2)] == [
        "Credit reporting or other personal consumer reports",
        "Debt collection",
    ]
    assert 0.35 < shares["Credit reporting or other personal consumer reports"] / len(letters) < 0.55
    assert min(shares.values()) > 100


def test_issues_belong_to_their_products(letters: pa.Table) -> None:
    book = grammar()
    known = {(book.products[product], issue, sub_issue) for product, issue, sub_issue in book.leaves}
    found = set(zip(*(letters[name].to_pylist() for name in ("product", "issue", "sub_issue")), strict=True))
    assert found <= known
    assert len(found) > 0.95 * len(known)


def test_time_runs_forward_and_knows_the_week_the_night_and_growth(letters: pa.Table) -> None:
    times = letters["received_at"]
    assert pc.all(pc.less_equal(times[:-1], times[1:])).as_py()
    assert pc.min(times).as_py() >= datetime(2024, 1, 1, tzinfo=UTC)
    assert pc.max(times).as_py() < datetime(2026, 1, 1, tzinfo=UTC)
    weekdays = Counter(pc.day_of_week(times).to_pylist())
    assert weekdays[6] < 0.7 * weekdays[1]
    hours = Counter(pc.hour(times).to_pylist())
    assert hours[5] < 0.2 * hours[15]
    years = Counter(pc.year(times).to_pylist())
    assert years[2025] > 1.3 * years[2024]


def test_an_issue_starts_in_the_last_weeks(letters: pa.Table) -> None:
    about = pc.match_substring_regex(letters["narrative"], r"(?i)QR code|toll text|road toll").fill_null(
        False
    )
    assert pc.all(pc.equal(letters.filter(about)["issue"], "Fraud or scam")).as_py()
    days = letters.filter(about)["received_at"].cast(pa.date32()).to_pylist()
    assert min(days) >= date(2025, 12, 31) - timedelta(35)
    assert len(days) > 20
    late = sum(day > date(2025, 12, 15) for day in days)
    assert late > len(days) / 2


def test_seasons_move_products() -> None:
    letters = table(60_000, seed=2)
    months = pc.month(letters["received_at"]).to_numpy()
    students = np.array(letters["product"].to_pylist()) == "Student loan"
    assert students[np.isin(months, (8, 9, 10))].mean() > 1.3 * students[np.isin(months, (1, 2, 3))].mean()


def test_letters_are_as_long_as_real_ones(letters: pa.Table) -> None:
    words = words_of(letters)
    assert 60 < np.median(words) < 160
    assert np.percentile(words, 5) > 15
    assert 300 < words.max() < 800


def test_letters_hold_what_real_ones_hold(letters: pa.Table) -> None:
    texts = letters["narrative"].drop_null().to_pylist()
    for pattern, least in {
        r"XXXX": 0.4,
        r"XX/XX/202[45]": 0.3,
        r"\{\$\d+\.\d\d\}": 0.4,
        r"\n\n": 0.2,
        r'"': 0.02,
        r"[^\x00-\x7f]": 0.03,
        r"^[^a-z]+$": 0.01,
    }.items():
        assert sum(bool(re.search(pattern, text)) for text in texts) > least * len(texts), pattern
    assert not any(re.search(r"[\[\]<>|]", text) for text in texts)
    assert 0.04 < letters["narrative"].null_count / len(letters) < 0.08
    assert not any(text != text.strip() or not text for text in texts)


def test_a_letter_does_not_say_a_thing_twice() -> None:
    """Sentences are put in by lines of the grammar; none comes twice, whatever it is filled with."""
    for text in table(2000, preset="clean")["narrative"].to_pylist():
        sentences = [re.sub(r"\W|\d", "", s)[:60] for s in re.split(r"(?<=[.!?]) ", text) if len(s) > 40]
        assert len(sentences) == len(set(sentences)), text


def test_template_letters_come_back_nearly_word_by_word(letters: pa.Table) -> None:
    texts = letters["narrative"].drop_null().to_pylist()
    templates = [text for text in texts if "without an instruction signed by me nobody" in text]
    assert len(templates) > 100
    kept = {re.sub(r"[^a-z]+", "", text.lower())[:300] for text in templates}
    assert len(kept) < len(templates) / 2


def test_some_letters_are_labelled_wrongly(letters: pa.Table) -> None:
    signs = pc.match_substring(letters["narrative"], "Section 604 lists who may see my file").fill_null(False)
    labels = letters.filter(signs)["product"].to_pylist()
    wrong = sum(label != "Credit reporting or other personal consumer reports" for label in labels)
    assert 0.01 < wrong / len(labels) < 0.1


def test_a_customer_lives_in_one_place(letters: pa.Table) -> None:
    customers = letters.group_by("customer_id").aggregate(
        [("state", "count_distinct"), ("tags", "count_distinct")]
    )
    assert pc.max(customers["state_count_distinct"]).as_py() == 1
    assert pc.max(customers["tags_count_distinct"]).as_py() == 1
    assert len(customers) < 0.6 * len(letters)
    assert 0.05 < 1 - letters["tags"].null_count / len(letters) < 0.2


def test_a_classifier_does_as_on_real_letters() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    def accuracy(preset: str) -> float:
        letters = table(5000, seed=3, preset=preset)
        letters = letters.filter(pc.is_valid(letters["narrative"]))
        texts, labels = letters["narrative"].to_pylist(), np.array(letters["product"].to_pylist())
        odd = np.arange(len(texts)) % 2 == 1
        vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=2)
        known = vectorizer.fit_transform(t for t, o in zip(texts, odd, strict=True) if not o)
        asked = vectorizer.transform(t for t, o in zip(texts, odd, strict=True) if o)
        return float((LinearSVC().fit(known, labels[~odd]).predict(asked) == labels[odd]).mean())

    assert 0.80 < accuracy("default") < 0.92
    assert accuracy("clean") > 0.97


def test_hostile_rows_are_text_and_broken_in_known_ways() -> None:
    rows = table(5000, preset="hostile")
    assert set(rows.schema.types) == {pa.string()}
    assert rows.column_names == COLUMNS
    times = rows["received_at"].to_pylist()
    for broken in ("31/02/2024", "not a date", "", None, "2999-12-31"):
        assert broken in times
    assert None in rows["product"].to_pylist()
    ids = [i for i in rows["complaint_id"].to_pylist() if i]
    assert len(set(ids)) < len(ids)
    good = [t for t in times if t and re.match(r"202[45]-\d\d-\d\d \d", t)]
    assert good != sorted(good)
    assert len(good) > 0.9 * len(times)
