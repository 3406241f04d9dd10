import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tallystick.errors import DataError, UsageError
from tallystick.solutions.fraud.simulator import notes, posterior, reachable, simulate

ROWS = 30_000
PUBLISHED = {"accuracy": 0.862, "precision": 0.43, "recall": 0.57}


def table(seed: int, rows: int = ROWS) -> pa.Table:
    return pa.Table.from_batches(list(simulate(rows, seed, "prototype")))


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    return table(0)


def average_precision(truth: np.ndarray, score: np.ndarray) -> float:
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(truth, score))


def isolation_forest(rows: pa.Table) -> dict[str, float]:
    """The published prototype's own model, as it was written there."""
    from sklearn.ensemble import IsolationForest
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    truth = rows["is_fraud"].to_numpy()
    numbers = np.column_stack(
        [
            rows["amount"].cast(pa.float64()).to_numpy(),
            pc.hour(rows["event_time"]).to_numpy(),
            pc.day_of_week(rows["event_time"]).to_numpy(),
        ]
    )
    words = np.column_stack([rows[name].to_pylist() for name in ("place", "device", "channel")])
    learn, test = train_test_split(np.arange(len(truth)), test_size=0.2, random_state=42, stratify=truth)
    scaled = StandardScaler().fit(numbers[learn]).transform(numbers)
    coded = OneHotEncoder(sparse_output=False).fit(words[learn]).transform(words)
    X = np.hstack([scaled, coded])
    forest = IsolationForest(n_estimators=100, contamination=0.15, random_state=42).fit(X[learn])
    flagged, bad = forest.predict(X[test]) < 0, truth[test]
    caught = (flagged & bad).sum()
    return {
        "accuracy": float((flagged == bad).mean()),
        "precision": float(caught / flagged.sum()),
        "recall": float(caught / bad.sum()),
    }


@pytest.mark.parametrize("seed", [0, 5])
def test_the_prototypes_own_model_gets_its_published_figures(seed: int) -> None:
    found = isolation_forest(table(seed))
    for name, figure in PUBLISHED.items():
        assert abs(found[name] - figure) < 0.03, (name, found[name])


def test_the_rows_are_the_prototypes(rows: pa.Table) -> None:
    assert rows.column_names == [
        "transaction_id", "event_time", "customer_id", "amount", "place", "device", "channel", "is_fraud",
    ]  # fmt: skip
    assert rows.num_rows == ROWS
    assert 0.105 < pc.mean(rows["is_fraud"]).as_py() < 0.121
    assert rows["event_time"].to_pylist() == sorted(rows["event_time"].to_pylist())
    assert rows["amount"].type == pa.decimal128(18, 2)
    assert len(set(rows["transaction_id"].to_pylist())) == ROWS


def test_each_of_the_six_features_tells_something(rows: pa.Table) -> None:
    fraud = rows["is_fraud"].to_numpy()
    kinds = {name: rows[name].combine_chunks().dictionary_encode().indices.to_numpy() for name in
             ("place", "device", "channel")}  # fmt: skip
    kinds["hour"] = pc.hour(rows["event_time"]).to_numpy()
    kinds["weekday"] = pc.day_of_week(rows["event_time"]).to_numpy()
    kinds["amount"] = np.digitize(rows["amount"].cast(pa.float64()).to_numpy(), [50, 100, 300, 800])
    for name, codes in kinds.items():
        counts = np.array([np.bincount(codes[fraud == side], minlength=24) for side in (False, True)])
        counts = counts[:, counts.sum(axis=0) > 0]
        expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
        assert ((counts - expected) ** 2 / expected).sum() > 50, name


def test_what_is_reachable_is_what_the_posterior_reaches() -> None:
    """Two ways to one figure: every combination counted, and many rows drawn."""
    many = table(21, 200_000)
    best, probability = reachable(), posterior(many)
    truth = many["is_fraud"].to_numpy()
    # Rows of one probability in any order: noise too small to put others into another one.
    shaken = probability + np.random.default_rng(1).uniform(0, 1e-10, len(truth))
    assert abs(average_precision(truth, shaken) - best.average_precision) < 0.006
    assert abs(((probability > 0.5) == truth).mean() - best.accuracy) < 0.003
    flagged = probability >= best.threshold - 1e-9
    caught = (flagged & truth).sum()
    assert abs(caught / flagged.sum() - best.precision) < 0.01
    assert abs(caught / truth.sum() - best.recall) < 0.01
    assert abs(2 * caught / (flagged.sum() + truth.sum()) - best.f1) < 0.01
    from sklearn.metrics import roc_auc_score

    assert abs(roc_auc_score(truth, probability) - best.roc_auc) < 0.01
    # The posterior means what it says.
    for low in (0.05, 0.3, 0.7):
        some = (probability >= low) & (probability < low + 0.2)
        if some.sum() > 300:
            assert abs(truth[some].mean() - probability[some].mean()) < 0.05


def test_some_fraud_cannot_be_told(rows: pa.Table) -> None:
    best = reachable()
    assert best.disguised == pytest.approx(0.3)
    assert 0.65 < best.average_precision < 0.8
    assert best.f1 < 0.8
    assert 0.93 < best.accuracy < 0.97
    # A model that learns from many rows comes near, and not above.
    probability = posterior(rows)
    fraud = rows["is_fraud"].to_numpy()
    assert (probability[fraud] < 0.1).mean() > 0.25
    assert 0 < probability.min() < probability.max() < 1 or probability.max() == 1


def test_the_posterior_refuses_rows_that_were_not_made_so(rows: pa.Table) -> None:
    other = rows.slice(0, 5)
    places = other.column_names.index("place")
    with pytest.raises(DataError, match="place that this preset never draws"):
        posterior(other.set_column(places, "place", pa.array(["Atlantis"] * 5)))
    assert posterior(rows.slice(0, 0)).shape == (0,)


def test_it_says_what_can_be_reached() -> None:
    said = " ".join(notes("prototype", ROWS, 0))
    assert "11.3% of rows are fraud" in said
    assert f"average precision {reachable().average_precision:.3f}" in said
    with pytest.raises(UsageError, match="known for"):
        reachable("handbook")


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ("weks: 3", '"weks" is no setting', "weeks"),
        ("fraud_share: 2", "fraud_share", "between 0 and 1"),
        ("weeks: 0", "weeks", "whole number"),
        ("start: soon", "start", "date"),
        ("frauds: {}", "tables of weights", "built-in"),
        ("frauds: {odd_hour: {weight: 1}}", '"odd_hour" is no kind of fraud', "odd_hours"),
        ("frauds: {odd_hours: {wait: 1}}", '"wait" is no feature', "weight"),
        ("frauds: {odd_hours: {weight: 0}}", "no whole weight", "weight: 20"),
        ("frauds: {odd_hours: {weight: 1, hour: [1, 2]}}", "hour is no table", "built-in"),
        ("frauds: {odd_hours: {weight: 1, place: {Nowhere: 1}}}", 'no place "Nowhere"', "Add it there"),
        ("frauds: {odd_hours: {weight: 1, amount: {500: 1, 100: 1}}}", "do not ascend", "built-in"),
        ("frauds: {odd_hours: {weight: 1, device: {web: .5}}}", "no whole number", "built-in"),
        ("ordinary: {hour: [1]}", "ordinary lacks amount", "built-in"),
    ],
)
def test_a_file_that_cannot_be_says_why(words: str, message: str, hint: str, tmp_path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"like: prototype\n{words}\n")
    with pytest.raises(UsageError) as caught:
        list(simulate(10, 0, str(path)))
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert str(path) in caught.value.message


def test_a_file_of_ones_own_changes_what_it_names(tmp_path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("like: prototype\nfraud_share: .02\nweeks: 2\nfrauds: {very_high_amount: {weight: 1}}\n")
    assert reachable(str(path)).fraud_share == pytest.approx(0.02)
    made = pa.Table.from_batches(list(simulate(5_000, 1, str(path))))
    assert pc.mean(made["is_fraud"]).as_py() < 0.03
    span = pc.subtract(pc.max(made["event_time"]), pc.min(made["event_time"])).as_py()
    assert span.days < 14
