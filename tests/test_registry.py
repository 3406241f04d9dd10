import pytest

from tallystick import plugins, registry
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
        "kmeans",
        "linear_regression",
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


def test_other_packages_join_by_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    point = EntryPoint("mine", "tallystick.learners.naive_bayes:LEARNER", "tallystick.learners")
    monkeypatch.setattr(plugins, "entry_points", lambda group: [point] if group == point.group else [])
    assert "mine" in registry.names("learners")
    assert registry.learner("mine").name == "naive_bayes"


def test_learners_say_what_needs_no_labels() -> None:
    without = [name for name in registry.names("learners") if not registry.learner(name).needs_labels]
    assert without == ["autoencoder", "isolation_forest", "kmeans", "local_outlier_factor"]


def test_tasks_name_learners_and_settings_that_there_are() -> None:
    """What a solution asks of a learner is checked before anybody trains: by its own list of settings."""
    import importlib

    from tallystick.learners.hyperparameters import resolve

    for name in registry.names("solutions"):
        for task in registry.solution(name).tasks:
            for learner in (task.learner, *task.params):
                usual = getattr(importlib.import_module(f"tallystick.learners.{learner}"), "DEFAULTS", None)
                if usual is not None and registry.learner(learner).takes == {"dense"}:
                    resolve(learner, task.learner_params(learner), usual)


def test_payments_declare_what_can_be_read() -> None:
    from tallystick.scorer import load_rules
    from tallystick.windows import Windows

    fraud = registry.solution("fraud")
    windows = Windows.read(fraud.windows, fraud.window_roles)
    assert set(windows.columns) <= {column.name for column in fraud.contract.columns}
    rules = load_rules(fraud, windows, fraud.rules)
    assert rules is not None
    assert not rules.notes
