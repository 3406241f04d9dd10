import pytest

from tallystick import registry
from tallystick.errors import UsageError


def test_what_is_built_in_is_found() -> None:
    assert registry.names("solutions") == ["complaints", "fraud"]
    assert registry.names("engines") == ["local"]
    assert registry.names("learners") == [
        "anomaly_boosting",
        "autoencoder",
        "complement_naive_bayes",
        "gradient_boosting",
        "isolation_forest",
        "linear_svm",
        "local_outlier_factor",
        "logistic_regression",
        "naive_bayes",
        "neural_network",
        "random_forest",
    ]


def test_what_is_found_carries_its_name() -> None:
    for name in registry.names("solutions"):
        assert registry.solution(name).name == name
    for name in registry.names("learners"):
        assert registry.learner(name).name == name
    for name in registry.names("engines"):
        assert registry.engine(name).name == name


@pytest.mark.parametrize(
    ("find", "asked", "words"),
    [
        (registry.solution, "complaint", 'no solution "complaint".\nDid you mean "complaints"'),
        (registry.learner, "naive_bays", 'Did you mean "naive_bayes"'),
        (registry.learner, "base", 'no learner "base"'),
        (registry.engine, "spork", "There are: local"),
    ],
)
def test_a_name_that_is_not_there_says_which_are(find: object, asked: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        find(asked)  # type: ignore[operator]


def test_strangers_join_by_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    point = EntryPoint("mine", "tallystick.learners.naive_bayes:LEARNER", "tallystick.learners")
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == point.group else [])
    assert "mine" in registry.names("learners")
    assert registry.learner("mine").name == "naive_bayes"
