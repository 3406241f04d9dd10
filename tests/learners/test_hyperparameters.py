import numpy as np
import pytest

from tallystick import registry
from tallystick.errors import UsageError
from tallystick.learners import Sample
from tallystick.learners.hyperparameters import matching_columns, refused_by_library, resolve

DEFAULTS = {"trees": 300, "rate": 0.1, "hidden": (64, 32), "narrow": 0, "share": None}


def test_what_is_not_given_is_as_usual() -> None:
    assert resolve("it", {}, DEFAULTS) == DEFAULTS
    assert resolve("it", {"share": None, "trees": None}, DEFAULTS) == DEFAULTS


@pytest.mark.parametrize(
    ("name", "given", "read"),
    [
        ("trees", "20", 20),
        ("trees", 20.0, 20),
        ("rate", "1e-3", 0.001),
        ("rate", 1, 1.0),
        ("hidden", "16,8", (16, 8)),
        ("hidden", [16], (16,)),
        ("hidden", 16, (16,)),
        ("narrow", 0, 0),
        ("share", "0.15", 0.15),
    ],
)
def test_values_are_read_in_the_type_of_the_usual_one(name: str, given: object, read: object) -> None:
    got = resolve("it", {name: given}, DEFAULTS)[name]
    assert got == read
    assert type(got) is type(read)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("trees", "many"),
        ("trees", 0),
        ("trees", 2.5),
        ("trees", [1]),
        ("rate", -0.1),
        ("rate", float("nan")),
        ("hidden", "16,x"),
        ("hidden", [0]),
        ("narrow", -1),
    ],
)
def test_a_value_that_cannot_be_is_refused(name: str, given: object) -> None:
    with pytest.raises(UsageError, match=f'setting "{name}" of "it" cannot be'):
        resolve("it", {name: given}, DEFAULTS)


def test_a_setting_that_there_is_not_names_those_there_are() -> None:
    with pytest.raises(UsageError, match='"it" has no setting "tress"') as caught:
        resolve("it", {"tress": 3}, DEFAULTS)
    assert caught.value.hint.startswith('Did you mean "trees"')
    assert "There are: hidden, narrow, rate, share, trees." in caught.value.hint


@pytest.mark.parametrize(
    ("learner", "settings"),
    [
        ("gradient_boosting", {"subsample": 3}),
        ("random_forest", {"max_features": 7}),
        ("logistic_regression", {"C": 0}),
    ],
)
def test_what_a_library_refuses_is_said_without_its_trace(learner: str, settings: dict) -> None:
    data = Sample(np.arange(40.0)[:, None], np.arange(40) % 2, 2, settings=settings, target="binary")
    with pytest.raises(
        UsageError, match=f'"{learner}" cannot learn with these settings: .*{next(iter(settings))}'
    ):
        registry.learner(learner).fit(data)


def test_other_errors_pass() -> None:
    with pytest.raises(ValueError, match="something else"), refused_by_library("it"):
        raise ValueError("something else")


def test_columns_are_named_by_themselves_and_by_patterns() -> None:
    names = ("amount", "card__ratio__7d", "Amount")
    assert matching_columns("rising", "", names, 3) == [False, False, False]
    assert matching_columns("rising", " amount ,", names, 3) == [True, False, False]
    assert matching_columns("rising", "*ratio*, amoun*", names, 4) == [True, True, False, False]
    assert matching_columns("rising", "*__risk__*", names, 3) == [False, False, False]
    assert matching_columns("rising", "*", (), 2) == [False, False]


def test_a_column_that_is_none_is_named() -> None:
    with pytest.raises(UsageError, match="rising: there is no column amuont") as caught:
        matching_columns("rising", "card*,amuont", ("amount",), 1)
    assert "amount" in str(caught.value.hint)
