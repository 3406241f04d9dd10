import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.conditions.condition import DERIVED
from tallystick.errors import UsageError
from tallystick.rules import rules_file
from tallystick.rules.rules import Rules, combine

ACTIONS = ("accept", "review", "decline")

PAIR = "customer_id+terminal_id__count__90d"
KNOWN = {
    "amount": "number",
    "customer_id": "text",
    "terminal_id": "text",
    "customer_id__count__5m": "number",
    PAIR: "number",
    **DERIVED,
}
HEAD = "rules:\n"
RULE = "  - {name: a, when: amount > 1, action: review, reason: why}\n"
FULL = """
lists:
  blocked: terminals.txt            # a file
  good: [C1, "C2", 007]
rules:
  - name: good customer
    when: customer_id in good and amount < 50
    action: accept
    reason: "{customer_id} is on the allow list"
  - name: blocked
    when: terminal_id in blocked
    action: decline
    reason: "terminal {terminal_id} is blocked ({{list}})"
  - name: burst
    when: >
      customer_id__count__5m >= 8
      and not night
    action: review
    reason: "{customer_id__count__5m:.0f} in 5 minutes, {amount:,.2f}; {customer_id+terminal_id__count__90d}"
"""


@pytest.fixture
def full(tmp_path: Path) -> Rules:
    (tmp_path / "rules.yaml").write_text(FULL)
    (tmp_path / "terminals.txt").write_text("# blocked\n\nT1  # since May\n T2\nT#3\nT1\n")
    return Rules.load(tmp_path / "rules.yaml", KNOWN, ACTIONS)


def values(**given: Any) -> dict[str, np.ndarray]:
    rows = max(len(column) for column in given.values())
    arrays: dict[str, np.ndarray] = {
        "amount": np.full(rows, 100.0),
        "customer_id": np.array(["C9"] * rows, object),
        "terminal_id": np.array(["T9"] * rows, object),
        "customer_id__count__5m": np.zeros(rows),
        PAIR: np.full(rows, np.nan),
        "night": np.zeros(rows),
    }
    for name, column in given.items():
        arrays[name] = np.array(column, object if arrays[name].dtype.kind == "O" else np.float64)
    return arrays


def test_the_first_rule_that_holds_decides(full: Rules) -> None:
    rows = values(
        customer_id=["C1", "C1", "C1", "007", None, "C9"],
        terminal_id=["T1", "T1", "T9", "T9", "T2", None],
        amount=[49.0, 50.0, 99.0, 1.0, np.nan, 9.0],
        customer_id__count__5m=[9, 9, 9, 9, 7, np.nan],
    )
    applied = full.apply(rows)
    assert applied.first.tolist() == [0, 1, 2, 0, 1, -1]
    assert applied.hits.astype(int).tolist() == [
        [1, 1, 1],
        [0, 1, 1],
        [0, 0, 1],
        [1, 0, 1],
        [0, 1, 0],
        [0, 0, 0],
    ]
    assert applied.action.tolist() == [0, 2, 1, 0, 2, -1]
    assert applied.first.dtype == applied.action.dtype == np.int64
    assert full.say(rows, applied) == {
        0: "C1 is on the allow list",
        1: "terminal T1 is blocked ({list})",
        2: "9 in 5 minutes, 99.00; unknown",
        3: "007 is on the allow list",
        4: "terminal T2 is blocked ({list})",
    }
    assert full.rules[2].say(rows, 4) == "7 in 5 minutes, unknown; unknown"


def test_what_is_read_is_there_to_see(full: Rules) -> None:
    assert full.names == ("good customer", "blocked", "burst")
    assert full.actions == ("accept", "decline", "review")
    assert full.lists == {"blocked": ("T1", "T2", "T#3"), "good": ("C1", "C2", "007")}
    assert full.needs == set(KNOWN) - {"hour", "weekday", "weekend"}
    assert [rule.line for rule in full.rules] == [6, 10, 14]
    assert full.notes == ()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [(None, [0, 1, 2]), ("accept", [0, 0, 0]), ("review", [1, 1, 2]), ("decline", [2, 2, 2])],
)
def test_accept_wins_over_the_model_and_the_others_only_raise(rule: str | None, expected: list[int]) -> None:
    rules = Rules.load(HEAD + RULE.replace("review", rule or "review"), KNOWN, ACTIONS)
    applied = rules.apply({"amount": np.full(3, 0.0 if rule is None else 2.0)})
    joined = combine(np.arange(3), applied)
    assert joined.tolist() == expected
    assert joined.dtype == np.int64


def test_actions_are_those_of_the_policy_in_its_order() -> None:
    """A harmless action of any name wins over the model; any other raises the model's action."""
    order = ["call", "call later", "skip"]
    text = HEAD + "".join(
        f"  - {{name: {name}, when: amount > {least}, action: {action}, reason: why}}\n"
        for name, least, action in (("a", 30, "call"), ("b", 20, "skip"), ("c", 10, "call later"))
    )
    rules = Rules.load(text, KNOWN, order)
    applied = rules.apply({"amount": np.array([40.0, 25.0, 15.0, 15.0, 5.0])})
    assert applied.action.tolist() == [0, 2, 1, 1, -1]
    assert combine(np.array([2, 1, 0, 2, 1]), applied).tolist() == [0, 2, 1, 2, 1]
    with pytest.raises(UsageError, match='no action "review"'):
        Rules.load(HEAD + RULE, KNOWN, order)


@given(st.lists(st.tuples(st.floats(), st.sampled_from(["T1", "T2", None])), min_size=1, max_size=20))
def test_a_row_alone_is_as_among_many(rows: list[tuple[float, str | None]]) -> None:
    rules = Rules.load(
        HEAD
        + "  - {name: a, when: amount / 2 > 3 or terminal_id == 'T1', action: decline, reason: '{amount}'}\n"
        + "  - {name: b, when: not amount < 1, action: accept, reason: '{terminal_id}'}\n",
        KNOWN,
        ACTIONS,
    )
    amount = np.array([amount for amount, _ in rows])
    terminal = np.array([terminal for _, terminal in rows], object)
    together = rules.apply({"amount": amount, "terminal_id": terminal})
    said = rules.say({"amount": amount, "terminal_id": terminal}, together)
    for i in range(len(rows)):
        one = {"amount": amount[i : i + 1], "terminal_id": terminal[i : i + 1]}
        alone = rules.apply(one)
        assert alone.first[0] == together.first[i]
        assert alone.hits[0].tolist() == together.hits[i].tolist()
        assert rules.say(one, alone).get(0) == said.get(i)


@pytest.mark.parametrize(
    ("written", "value", "said"),
    [
        ("{amount}", 12.5, "12.5"),
        ("{amount}", 1_234_567.0, "1234567"),
        ("{amount}", 0.1 + 0.2, "0.3"),
        ("{amount}", np.nan, "unknown"),
        ("{amount:,.2f}", -1234.5, "-1,234.50"),
        ("{amount:.0%}", 0.38, "38%"),
        ("{amount:>8.1f}", 2.0, "     2.0"),
        ("{amount:.2f}", np.inf, "inf"),
        ("{{amount}}", 1.0, "{amount}"),
        ("a {amount} b {amount:.1f} c", 1.0, "a 1 b 1.0 c"),
        ("nothing to tell", 1.0, "nothing to tell"),
    ],
)
def test_a_reason_tells_values(written: str, value: float, said: str) -> None:
    rules = Rules.load(HEAD + RULE.replace("why", f"'{written}'"), KNOWN, ACTIONS)
    assert rules.rules[0].say({"amount": np.array([value])}, 0) == said


def test_no_value_makes_a_reason_fail() -> None:
    rules = Rules.load(HEAD + RULE.replace("why", "'{untold:.2f}'"), ["amount", "untold"], ACTIONS)
    for value, said in [
        ("x" * 500, "x" * 99 + "…"),
        (None, "unknown"),
        (True, "yes"),
        (3, "3.00"),
        ("{amount}",) * 2,
    ]:
        assert rules.rules[0].say({"untold": np.array([value], object)}, 0) == said
    assert rules.rules[0].say({}, 0) == "unknown"


def refused(text: str | Path, known: Any = KNOWN) -> str:
    with pytest.raises(UsageError) as caught:
        Rules.load(text, known, ACTIONS)
    return str(caught.value)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("{name: a, when: amout > 1, action: review, reason: x}", ['"a", when', 'no "amout"', '"amount"']),
        ("{name: a, when: amount >, action: review, reason: x}", ["something is missing at its end"]),
        ("{name: a, when: amount > 1, action: reveiw, reason: x}", ['no action "reveiw"', '"review"']),
        ("{name: a, when: amount > 1, action: review}", ['a rule: "reason" is missing']),
        ("{name: a, wen: amount > 1, action: review, reason: x}", ['"wen" is not known', '"when"']),
        ("{name: a, name: b, when: amount > 1, action: review, reason: x}", ['"name" is said twice']),
        ("{name: '', when: amount > 1, action: review, reason: x}", ["name: the value is empty"]),
        ("{name: a, when: [amount > 1], action: review, reason: x}", ["one value is wanted"]),
        ("{name: a, when: amount in lst, action: review, reason: x}", ['no list "lst"']),
        ("{name: a, when: known_fraud, action: review, reason: x}", ['no "known_fraud"']),
        ("{name: a, when: amount > 1, action: review, reason: {amount}}", ["stands in quotes"]),
        ("{name: a, when: amount > 1, action: review, reason: '{amout}'}", ['no "amout"', '"amount"']),
        ("{name: a, when: amount > 1, action: review, reason: '{}'}", ['no ""']),
        ("{name: a, when: amount > 1, action: review, reason: '{0}'}", ['no "0"']),
        (
            "{name: a, when: amount > 1, action: review, reason: '{amount.__class__}'}",
            ['no "amount.__class__"'],
        ),
        ("{name: a, when: amount > 1, action: review, reason: '{amount[0]}'}", ['no "amount[0]"']),
        (
            "{name: a, when: amount > 1, action: review, reason: '{amount!r}'}",
            ['the form "!r" cannot be used'],
        ),
        ("{name: a, when: amount > 1, action: review, reason: '{amount:{amount}}'}", ["cannot be used"]),
        ("{name: a, when: amount > 1, action: review, reason: '{amount:999999999f}'}", ["cannot be used"]),
        ("{name: a, when: amount > 1, action: review, reason: '{amount:d}'}", ["cannot be used"]),
        ("{name: a, when: amount > 1, action: review, reason: '{customer_id:.2f}'}", ["takes no form"]),
        ("{name: a, when: amount > 1, action: review, reason: '{amount'}", ["cannot be read", "twice"]),
        ("{name: a, when: amount > 1, action: review, reason: 'x } y'}", ["cannot be read", "twice"]),
        ("just words", ["`key: value` pairs are wanted"]),
        ("{name: &x a, when: amount > 1, action: review, reason: x}", ["& and *"]),
        (
            "{name: !!python/name:os.system a, when: amount > 1, action: review, reason: x}",
            ["no value needs a tag"],
        ),
        ("{name: a, when: amount > 1, action: review, reason: x", ["this is not YAML"]),
    ],
)
def test_a_mistake_is_named_with_its_line(rule: str, words: list[str]) -> None:
    message = refused(HEAD + RULE.replace("a,", "first,") + f"  - {rule}\n")
    assert "line 3" in message or "line 4" in message  # YAML sees an open bracket at the end only
    for part in words:
        assert part in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\n", ["rules is empty", "action: review"]),
        ("version: 2\n" + HEAD + RULE, ["line 1: version must be 1"]),
        ("list: {}\n" + HEAD + RULE, ['line 1: the file: "list" is not known', '"lists"']),
        ("lists: {a: [x]}\n", ['"rules" is missing']),
        ("rules: []\n", ["there is none"]),
        ("rules: {a: b}\n", ["a list is wanted"]),
        (HEAD + RULE + RULE, ['line 3: the name "a" is taken by the rule at line 2']),
        ("lists: [a]\n" + HEAD + RULE, ["line 1: lists: `key: value` pairs are wanted"]),
        ("lists: {a b: [x]}\n" + HEAD + RULE, ["needs to be one word"]),
        ("lists: {amount: [x]}\n" + HEAD + RULE, ["taken by a column"]),
        ("lists: {a: []}\n" + HEAD + RULE, ["the list is empty"]),
        ("lists: {a: {b: c}}\n" + HEAD + RULE, ["one value is wanted"]),
        ("lists: {a: file.txt}\n" + HEAD + RULE, ["relative to the rules file", "write [file.txt]"]),
        ("lists: {a: [x], a: [y]}\n" + HEAD + RULE, ["said twice"]),
        (
            "lists: {a: [x]}\n" + HEAD + RULE.replace("amount >", "amount in a and amount >"),
            ['"amount" is a number'],
        ),
    ],
)
def test_the_whole_file_is_checked(text: str, words: list[str]) -> None:
    message = refused(text)
    for part in words:
        assert part in message


def test_all_that_is_wrong_is_said_at_once_in_order() -> None:
    bad = RULE.replace("review", "revue")
    message = refused(HEAD + bad + bad.replace("name: a", "name: b").replace("amount", "amounts"))
    assert message.startswith("rules cannot be used, 3 things are wrong:")
    assert message.index("line 2: ") < message.index("line 3: ")


def test_the_file_is_named_and_lists_lie_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, values_file = tmp_path / "rules.yaml", tmp_path / "lists" / "t.txt"
    values_file.parent.mkdir()
    assert "cannot be read: No such file" in refused(path)
    path.write_text(
        "lists: {a: lists/t.txt}\n" + HEAD + RULE.replace("amount >", "terminal_id in a and amount >")
    )
    message = refused(path)
    assert f"{path}, line 1: " in message
    assert "t.txt" in message
    assert "No such file" in message
    values_file.write_bytes(b"T1\nT2\xff\n")
    assert "line 2 is not UTF-8" in refused(str(path))
    values_file.write_text("T1\n" + "T" * 201)
    assert "line 2: a value is a text of at most 200 characters" in refused(path)
    values_file.write_bytes(b"T1\nT\x002\n")
    assert "line 2: a value is a text" in refused(path)
    monkeypatch.setattr(rules_file, "MOST_VALUES", 2)
    values_file.write_text("a\nb\nc\n")
    assert "it has 3 values; at most 2 are taken" in refused(path)
    monkeypatch.setattr(rules_file, "LARGEST_LIST", 3)
    assert "too large" in refused(path)
    values_file.unlink()
    values_file.mkdir()
    assert "it is no file" in refused(path)
    monkeypatch.undo()
    values_file.rmdir()
    values_file.write_bytes(b"\xef\xbb\xbf#\n")
    rules = Rules.load(path, KNOWN, ACTIONS)
    assert rules.lists == {"a": ()}
    assert rules.notes == (f'the list "a": {values_file} has no value in it, so nothing is in the list.',)
    assert not rules.apply({"amount": np.array([2.0]), "terminal_id": np.array(["T1"], object)}).hits.any()


def test_what_can_never_matter_makes_a_note() -> None:
    twin = RULE.replace("name: a", "name: b").replace("amount >", "amount  >")
    rules = Rules.load("lists: {unused: [x]}\n" + HEAD + RULE + twin, KNOWN, ACTIONS)
    assert rules.notes == (
        'line 4: "b" never decides, "a" asks for the same and is first.',
        'the list "unused" is asked for by no rule.',
    )


def test_many_rules_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules_file, "MOST_RULES", 1)
    assert "line 3: rules: at most 1 are taken, here are 2" in refused(HEAD + RULE + RULE)


def test_the_fingerprint_changes_with_what_counts(full: Rules, tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    seen = {full.fingerprint}
    path.write_text("# a comment\n" + FULL.replace('[C1, "C2", 007]', "[C2, C1, '007', C1]"))
    assert Rules.load(path, KNOWN, ACTIONS).fingerprint in seen
    for old, new in [
        (">= 8", ">= 9"),
        ("accept", "review"),
        ("is blocked", "was blocked"),
        ("burst", "b"),
        ("C1", "C3"),
    ]:
        path.write_text(FULL.replace(old, new))
        seen.add(Rules.load(path, KNOWN, ACTIONS).fingerprint)
    path.write_text(FULL)
    (tmp_path / "terminals.txt").write_text("T1\n")
    seen.add(Rules.load(path, KNOWN, ACTIONS).fingerprint)
    assert len(seen) == 7


def test_they_travel(full: Rules) -> None:
    again = pickle.loads(pickle.dumps(full))
    assert again == full
    rows = values(terminal_id=["T1"])
    assert again.apply(rows).first.tolist() == [1]


def test_values_that_are_missing_are_said(full: Rules) -> None:
    rows = values(amount=[1.0])
    del rows["customer_id__count__5m"]
    with pytest.raises(UsageError, match="The rules look at customer_id__count__5m, which is not there"):
        full.apply(rows)


def test_kinds_may_be_left_out() -> None:
    rules = Rules.load(HEAD + RULE, list(KNOWN), ACTIONS)
    assert rules.apply({"amount": np.array([2.0])}).first.tolist() == [0]


def test_the_example_of_fraud_is_right() -> None:
    import tallystick.solutions.fraud as fraud

    path = Path(str(next(iter(fraud.__path__)))) / "rules.yaml"
    rules = Rules.load(path, KNOWN, ACTIONS)
    assert rules.notes == ()
    assert rules.names == ("trusted customer", "blocked terminal", "very high amount", "burst")
    rows = values(
        customer_id=["C0000001", "C0000001", "C9", "C9", "C9"],
        amount=[99.0, 221.0, 220.0, 10.0, np.nan],
        customer_id__count__5m=[9, 0, 0, 11, np.nan],
    )
    applied = rules.apply(rows)
    assert applied.first.tolist() == [0, 2, -1, 3, -1]
    assert rules.say(rows, applied)[3] == "11 payments of this card in 5 minutes"
