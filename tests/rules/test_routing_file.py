from pathlib import Path
from typing import Any

import pytest

from tallystick.errors import UsageError
from tallystick.rules.routing import Routing
from tallystick.rules.routing_file import write

HEAD = """version: 1
default: {department: Desk, priority: normal, due: 15 days}
rules:
"""
RULE = "  - {name: a, when: {product: x}, then: {priority: high}}\n"
CONTEXT: dict[str, Any] = {"label": "product", "columns": ["state", "tags"]}


def refused(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        Routing.load(text, **CONTEXT)
    return str(caught.value)


@pytest.mark.parametrize(
    ("rule", "line", "words"),
    [
        ("{name: a, when: {produt: x}, then: {priority: high}}", 4, ['"produt"', 'Did you mean "product"?']),
        ("{name: a, when: {label: x}, then: {priority: high}}", 4, ['"label" is not known']),
        (
            "{name: a, wen: {product: x}, then: {priority: high}}",
            4,
            ['Did you mean "when"?', '"when" is missing'],
        ),
        ("{when: {product: x}, then: {priority: high}}", 4, ['"name" is missing']),
        ("{name: a, when: {}, then: {priority: high}}", 4, ["when is empty", "default"]),
        ("{name: a, when: {product: x}, then: {}}", 4, ["then is empty"]),
        ("{name: a, when: {product: x}, then: {priority: hihg}}", 4, ['"hihg"', 'Did you mean "high"?']),
        ("{name: a, when: {product: x}, then: {due: 15}}", 4, ['"15"', "2 days"]),
        ("{name: a, when: {product: x}, then: {due: 0 days}}", 4, ["between one minute"]),
        ("{name: a, when: {product: x}, then: {due: 9999999 weeks}}", 4, ["3660 days"]),
        ("{name: a, when: {certainty: below 80}, then: {due: 1 day}}", 4, ["80%", "between 0 and 1"]),
        ("{name: a, when: {certainty: .8}, then: {due: 1 day}}", 4, ["below .8"]),
        ("{name: a, when: {amount: 1000}, then: {due: 1 day}}", 4, ["at least 50"]),
        ("{name: a, when: {amount: over 1.005}, then: {due: 1 day}}", 4, ["at most 2 decimals"]),
        ("{name: a, when: {amount: 5 to 4}, then: {due: 1 day}}", 4, ["the first number is the greater"]),
        ("{name: a, when: {amount: over 99999999999999999}, then: {due: 1 day}}", 4, ["too large"]),
        ("{name: a, when: {words: '!!'}, then: {due: 1 day}}", 4, ['"!!" holds no letter']),
        ("{name: a, when: {words: []}, then: {due: 1 day}}", 4, ["the list is empty"]),
        ("{name: a, when: {words: [[x]]}, then: {due: 1 day}}", 4, ["one value is wanted"]),
        ("{name: a, when: {words: \U0001d400}, then: {due: 1 day}}", 4, ["cannot be looked for"]),
        ("{name: a, when: {product: }, then: {due: 1 day}}", 4, ["the value is empty"]),
        ("{name: a, when: {product: x, product: y}, then: {due: 1 day}}", 4, ["said twice", "line 4"]),
        ("{name: a, when: [product], then: {due: 1 day}}", 4, ["`key: value` pairs are wanted"]),
        ("a", 4, ["`key: value` pairs are wanted"]),
        ("&b {name: a, when: {product: x}, then: {due: 1 day}}", 4, ["& and *"]),
        ("{name: a, when: {product: *b}, then: {due: 1 day}}", 4, ["& and *"]),
        (
            "{name: a, when: {product: !!python/name:os.system x}, then: {due: 1 day}}",
            4,
            ["no value needs a tag"],
        ),
        ("{name: a, when: {product: x}, then: {due: 1 day}", 5, ["this is not YAML"]),
        ("{name: a, when: {product: 'x}, then: {due: 1 day}}", 5, ["this is not YAML", "quote"]),
        ("[[[[[[[[[[[[]]]]]]]]]]]]", 4, ["nested too deeply"]),
        ("{name: a, when: {product: \x01}, then: {due: 1 day}}", 4, ["a character that YAML does not allow"]),
    ],
)
def test_errors_name_the_line_and_what_would_be_right(rule: str, line: int, words: list[str]) -> None:
    message = refused(HEAD + f"  - {rule}\n")
    assert f"line {line}" in message
    for part in words:
        assert part in message


def test_duplicate_names_say_both_lines() -> None:
    assert 'routing, line 5: the name "a" is taken by the rule at line 4' in refused(
        HEAD + RULE + RULE.replace("x", "y")
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rules:\n", ['"version" is missing', '"default" is missing']),
        ("version: 2\ndefault: {department: a, priority: low, due: none}\n", ["line 1: version must be 1"]),
        ("version: 1\ndefault: {department: a}\n", ['"priority" is missing', '"due" is missing']),
        (HEAD.replace("rules:", "rules: {}"), ["line 3: rules: a list is wanted"]),
        (HEAD.replace("rules:", "rulez:"), ['Did you mean "rules"?']),
        (HEAD + RULE + "rules: []\n", ["said twice, first at line"]),
        (
            HEAD.replace("default", "departments: [Desc]\ndefault"),
            ['"Desk" is not among', 'Did you mean "Desc"?'],
        ),
        ("\n", ["routing is empty"]),
        ("a\n---\nb\n", ["this is not YAML"]),
        ("- 1\n- 2\n", ["`key: value` pairs are wanted"]),
    ],
)
def test_the_whole_file_is_checked(text: str, words: list[str]) -> None:
    message = refused(text)
    for part in words:
        assert part in message


def test_all_that_is_wrong_is_said_at_once_in_order() -> None:
    message = refused(
        HEAD + RULE.replace("high", "hi") + RULE.replace("product", "prodct").replace("a,", "b,")
    )
    assert message.startswith("routing cannot be used, 2 things are wrong:")
    assert message.index("line 4: ") < message.index("line 5: ")


def test_the_file_is_named_and_must_be_utf8_and_of_a_sane_size(tmp_path: Path) -> None:
    path = tmp_path / "desks.yaml"
    path.write_text(HEAD + RULE.replace("high", "hi"))
    assert f"{path}, line 4: " in refused(str(path))
    path.write_bytes(b"version: 1\n# \xff\n")
    assert "desks.yaml, line 2: this is not UTF-8" in refused(str(path))
    path.write_text("#" * 1_000_001)
    assert "too large" in refused(str(path))
    path.write_bytes(
        b"\xef\xbb\xbf" + (HEAD + RULE).encode()
    )  # a byte order mark, as Windows editors write it
    assert len(Routing.load(path, **CONTEXT).rules) == 1


def test_values_stay_as_they_are_written() -> None:
    text = HEAD + "  - {name: yes, when: {state: [NO, 02134, on, 1_0, 'none']}, then: {priority: high}}\n"
    (rule,) = Routing.load(text, **CONTEXT).rules
    assert rule.name == "yes"
    assert rule.values["state"] == ("NO", "02134", "on", "1_0", "none")
    assert Routing.from_dict(Routing.load(text, **CONTEXT).to_dict(), **CONTEXT).rules == (rule,)


def test_a_value_that_is_not_known_makes_a_note() -> None:
    rules = RULE.replace("x", "[Mortage, credit CARD, none]")
    routing = Routing.load(HEAD + rules, **CONTEXT, known={"product": ["Mortgage", "Credit card"]})
    assert routing.notes == ('line 4: "a", product: "Mortage" is not known. Did you mean "Mortgage"?',)


def test_a_rule_that_cannot_be_reached_makes_a_note() -> None:
    routing = Routing.load(HEAD + RULE + RULE.replace("name: a", "name: b"), **CONTEXT)
    assert routing.notes == ('line 5: "b" never applies, "a" asks for the same and is first.',)


def test_many_words_are_bounded() -> None:
    words = ", ".join(f"w{i}" for i in range(20_001))
    message = refused(HEAD + f"  - {{name: a, when: {{words: [{words}]}}, then: {{due: 1 day}}}}\n")
    assert "more than 20,000 words" in message


def test_write_keeps_what_yaml_would_bend() -> None:
    document = {
        "version": 1,
        "default": {"department": "é \U0001f600", "priority": "low", "due": "none"},
        "rules": [{"name": "1", "when": {"state": ["NO", None, "none"]}, "then": {"department": "no"}}],
    }
    assert Routing.load(write(document), **CONTEXT).to_dict() == document
