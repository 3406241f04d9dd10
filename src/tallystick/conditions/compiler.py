"""Compiles conditions: from Python's syntax tree to closures over arrays."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.conditions.comparisons import (
    among,
    as_numbers,
    divide,
    numbers,
    same,
    texts,
    true,
    unequal,
)
from tallystick.conditions.terms import FUNCTIONS, Term
from tallystick.conditions.text import HINT, Written, near
from tallystick.errors import UsageError

__all__ = ["Compiler", "Evaluate", "Values"]

Values = Mapping[str, NDArray[Any]]
Evaluate = Callable[[Values], Any]

LONGEST = 4000  # characters
DEEPEST = 100  # so that no closure comes near to Python's own bound when it is called
KINDS = ("number", "text", "flag")
TRUTHS = {"true": True, "false": False}
GRAMMAR = "it may hold names, numbers, 'texts', lists, and, or, not, in, comparisons and + - * / only"
COMPARE: dict[type[ast.cmpop], Any] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
}
MIRROR = {np.less: np.greater, np.less_equal: np.greater_equal, np.greater: np.less,
          np.greater_equal: np.less_equal, np.equal: np.equal}  # fmt: skip
#: Bounds of a number that a comparison allows, both included.
BOUNDS: dict[type[ast.cmpop], Callable[[float], tuple[float, float]]] = {
    ast.Lt: lambda x: (-np.inf, float(np.nextafter(x, -np.inf))),
    ast.LtE: lambda x: (-np.inf, x),
    ast.Gt: lambda x: (float(np.nextafter(x, np.inf)), np.inf),
    ast.GtE: lambda x: (x, np.inf),
    ast.Eq: lambda x: (x, x),
}
ARITHMETIC: dict[type[ast.operator], Any] = {ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply}


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a condition: how to get its values, their kind ("" where not told), a constant's value."""

    get: Evaluate
    kind: str
    said: str
    constant: float | str | None = None


class Compiler:
    """Compiles one condition; `columns` and `lists` then name what it looks at.

    `required`: flags without which it never holds; `terms`: the operands of its outermost `and` that look at
    one column each; `terms_alone`: there are no others.
    """

    def __init__(
        self, text: str, known: Collection[str], lists: Mapping[str, Collection[str | None]]
    ) -> None:
        if len(text) > LONGEST:
            raise UsageError(f"A condition has at most {LONGEST:,} characters, this one {len(text):,}.")
        self.written = Written(text, known)
        self.known, self.given = known, lists
        self.columns: set[str] = set()
        self.lists: set[str] = set()
        self.required: frozenset[str] = frozenset()
        self.terms: tuple[Term, ...] = ()
        self.terms_alone = False
        self._terms: dict[int, Term] = {}

    def compile(self) -> Evaluate:
        """Return what says of each row whether the condition holds; UsageError where it is none."""
        if not self.written.source.strip():
            raise self.written.fault(0, "it is empty")
        try:
            with warnings.catch_warnings():  # what Python warns of is refused below, or harmless
                warnings.simplefilter("ignore")
                tree = ast.parse(self.written.source, mode="eval")
            if _depth(tree) > DEEPEST:
                raise RecursionError
            test = self._truth(tree.body)
            self.required = self._required(tree.body)
            self._gather(tree.body)
        except SyntaxError as error:
            raise self.written.unreadable(error) from None
        except (RecursionError, MemoryError, ValueError):
            raise self.written.fault(0, "it is nested too deeply, or is no text") from None
        if not self.columns:
            raise self.written.fault(0, "it looks at no column, so it says the same of every row")
        return test

    def _truth(self, node: ast.expr) -> Evaluate:
        """Compile what must be true or false."""
        match node:
            case ast.BoolOp(op, operands):
                tests = [self._truth(operand) for operand in operands]
                join = np.logical_and if isinstance(op, ast.And) else np.logical_or
                return _joined(join, tests)
            case ast.UnaryOp(ast.Not(), operand):
                test = self._truth(operand)
                return lambda values: np.logical_not(test(values))
            case ast.Compare():
                return self._compare(node)
            case ast.Call(ast.Name() as function, arguments, []):
                return self._call(node, self.written.name(function), arguments)
        part = self._value(node)
        if part.constant is not None:
            raise self.written.fault(node, f'"{part.said}" is fixed, so it says the same of every row')
        if part.kind in ("number", "text"):
            raise self.written.fault(
                node, f'"{part.said}" is neither true nor false; compare it with something'
            )
        return lambda values: true(part.get(values), part.said)

    def _call(self, node: ast.Call, function: str, arguments: list[ast.expr]) -> Evaluate:
        """Compile a function of a column, or of a column and a list of texts."""
        if function == "missing" and len(arguments) == 1 and isinstance(arguments[0], ast.Name):
            part = self._name(arguments[0])
            if part.constant is None and part.kind != "text":
                self._terms[id(node)] = Term("missing", part.said)
                return lambda values: np.isnan(numbers(part.get(values), part.said).astype(np.float64))
        if function not in FUNCTIONS or len(arguments) != 2 or not isinstance(arguments[0], ast.Name):
            listed = ", ".join(f"{name}(NAME, LIST)" for name in FUNCTIONS)
            hint = f"Functions are missing(NAME), {listed}. {HINT}"
            raise self.written.fault(node, GRAMMAR, hint)
        part = self._name(arguments[0])
        if part.constant is not None or part.kind in ("number", "flag"):
            raise self.written.fault(node, f'"{part.said}" is not a text')
        term, holds = FUNCTIONS[function](part.said, self._texts(arguments[1]))
        self._terms[id(node)] = term
        return lambda values: holds(texts(part.get(values), part.said))

    def _texts(self, node: ast.expr) -> tuple[str | None, ...]:
        """Return a list of texts, by its name or written out; `none` stands for a missing one."""
        if isinstance(node, ast.Name) and (name := self.written.name(node)) in self.given:
            self.lists.add(name)
            return tuple(self.given[name])
        if isinstance(node, ast.List | ast.Tuple | ast.Set) and node.elts:
            found: list[str | None] = []
            for element in node.elts:
                if isinstance(element, ast.Name) and self.written.name(element).lower() == "none":
                    found.append(None)
                elif isinstance(element, ast.Constant) and isinstance(element.value, str):
                    found.append(element.value)
                else:
                    raise self.written.fault(element, "a list holds texts in quotes here")
            return tuple(found)
        raise self.written.fault(node, "a list such as ['a', 'b'], or the name of one, is wanted")

    def _gather(self, node: ast.expr) -> None:
        """Find the terms among the operands of the outermost `and`."""
        operands: list[ast.expr] = []
        stack = [node]
        while stack:
            match stack.pop():
                case ast.BoolOp(ast.And(), parts):
                    stack += parts
                case operand:
                    operands.append(operand)
        found = [self._term(operand) for operand in operands]
        self.terms = tuple(term for term in found if term is not None)
        self.terms_alone = len(self.terms) == len(found)

    def _term(self, node: ast.expr) -> Term | None:
        """Return an operand as a term, where it is one of a column whose kind is plain from it."""
        match node:
            case ast.Call():
                return self._terms.get(id(node))
            case ast.Compare(ast.Name() as name, [op], [ast.Constant(int() | float() as value)]):
                column = self.written.name(name)
                if column in self.columns and not isinstance(value, bool) and type(op) in BOUNDS:
                    low, high = BOUNDS[type(op)](float(value))
                    return Term("number", column, low=low, high=high)
            case ast.Name():
                return self._flag(node, True)
            case ast.UnaryOp(ast.Not(), ast.Name() as name):
                return self._flag(name, False)
        return None

    def _flag(self, node: ast.Name, flag: bool) -> Term | None:
        name = self.written.name(node)
        told = isinstance(self.known, Mapping) and self.known.get(name) == "flag"
        return Term("flag", name, flag=flag) if told else None

    def _required(self, node: ast.expr) -> frozenset[str]:
        match node:
            case ast.Name():
                return frozenset([self.written.name(node)])
            case ast.BoolOp(ast.And(), operands):
                return frozenset[str]().union(*map(self._required, operands))
        return frozenset()

    def _compare(self, node: ast.Compare) -> Evaluate:
        tests: list[Evaluate] = []
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, ast.In | ast.NotIn):
                tests.append(self._member(left, right, isinstance(op, ast.NotIn)))
            elif isinstance(op, ast.NotEq) or type(op) in COMPARE:
                tests.append(self._pair(node, self._value(left), op, self._value(right)))
            else:
                raise self.written.fault(left, GRAMMAR)
            left = right
        if len(tests) == 1:
            return tests[0]
        return _joined(np.logical_and, tests)

    def _pair(self, node: ast.Compare, a: _Part, op: ast.cmpop, b: _Part) -> Evaluate:
        if a.constant is not None and b.constant is not None:
            raise self.written.fault(node, f'"{a.said}" and "{b.said}" are both fixed')
        for one, other in ((a, b), (b, a)):
            if one.kind == "text" and other.kind in ("number", "flag"):
                hint = f"Write '{other.said}' in quotes." if other.constant is not None else HINT
                raise self.written.fault(node, f'"{one.said}" is a text and "{other.said}" is none', hint)
        if "text" in (a.kind, b.kind) and not isinstance(op, ast.Eq | ast.NotEq):
            raise self.written.fault(
                node, "a text is equal or not, or in a list, but neither more nor less than another"
            )
        differ = isinstance(op, ast.NotEq)
        compare = np.equal if differ else COMPARE[type(op)]
        if a.constant is not None:
            a, b, compare = b, a, MIRROR[compare]
        get, said, constant = a.get, a.said, b.constant
        if isinstance(constant, str):
            return lambda values: same(texts(get(values), said), constant, differ)
        if constant is not None:
            number = float(constant)
            if differ:
                return lambda values: unequal(numbers(get(values), said), number)
            return lambda values: compare(numbers(get(values), said), number)
        other_get, other_said = b.get, b.said

        def both(values: Values) -> Any:
            x, y = get(values), other_get(values)
            if compare is np.equal and x.dtype.kind == "O" and y.dtype.kind == "O":
                return same(x, y, differ)
            x, y = numbers(x, said), numbers(y, other_said)
            return unequal(x, y) if differ else compare(x, y)

        return both

    def _member(self, left: ast.expr, right: ast.expr, outside: bool) -> Evaluate:
        part = self._value(left)
        if part.constant is not None:
            raise self.written.fault(left, f'"{part.said}" is fixed; write a name before in')
        members: frozenset[str] | None = None
        figures: frozenset[float] | None = None
        if isinstance(right, ast.Name):
            name = self.written.name(right)
            if name not in self.given:
                raise self.written.fault(right, f'there is no list "{name}"', near(name, self.given))
            self.lists.add(name)
            members = frozenset(text for text in self.given[name] if text is not None)
            figures = as_numbers(members)
            if part.kind in ("number", "flag") and figures is None:
                raise self.written.fault(
                    right, f'"{part.said}" is a number, and not all of the list "{name}" are'
                )
        elif isinstance(right, ast.List | ast.Tuple | ast.Set) and right.elts:
            written = [self._value(element).constant for element in right.elts]
            if all(isinstance(member, str) for member in written):
                members = frozenset(str(member) for member in written)
            elif all(isinstance(member, float | bool) for member in written):
                figures = frozenset(float(member) for member in written if member is not None)
            else:
                raise self.written.fault(right, "a list holds either texts in quotes or numbers")
            if (part.kind == "text" and members is None) or (part.kind in ("number", "flag") and members):
                raise self.written.fault(
                    right, f'"{part.said}" is {"" if part.kind == "text" else "not "}a text'
                )
        else:
            raise self.written.fault(
                right, "after in comes a list such as ['a', 'b'] or [1, 2], or the name of a list"
            )
        return lambda values: among(part.get(values), part.said, members, figures, outside)

    def _value(self, node: ast.expr) -> _Part:
        """Compile what has a value."""
        said = self.written.said(node)
        match node:
            case ast.Constant(bool() as value):
                return _Part(lambda _: value, "flag", said, value)
            case ast.Constant(int() | float() as value):
                if not abs(value) < 2**1023:
                    raise self.written.fault(node, f'"{said}" is too large a number')
                number = float(value)
                return _Part(lambda _: number, "number", said, number)
            case ast.Constant(str() as value):
                return _Part(lambda _: value, "text", said, value)
            case ast.Name():
                return self._name(node)
            case ast.UnaryOp(ast.USub(), operand):
                part = self._number(operand)
                if isinstance(part.constant, float):
                    negative = -part.constant
                    return _Part(lambda _: negative, "number", said, negative)
                return _Part(lambda values: -part.get(values), "number", said)
            case ast.BinOp(x, ast.Add() | ast.Sub() | ast.Mult() | ast.Div() as op, y):
                a, b = self._number(x), self._number(y)
                combine = ARITHMETIC.get(type(op), np.divide if b.constant else divide)
                if isinstance(a.constant, float) and isinstance(b.constant, float):
                    with np.errstate(all="ignore"):
                        result = float(combine(np.float64(a.constant), np.float64(b.constant)))
                    if not np.isfinite(result):
                        raise self.written.fault(node, f'"{said}" is no number')
                    return _Part(lambda _: result, "number", said, result)

                def combined(values: Values) -> Any:
                    with np.errstate(all="ignore"):
                        return combine(a.get(values), b.get(values))

                return _Part(combined, "number", said)
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(ast.Not()):
                return _Part(self._truth(node), "flag", said)
        raise self.written.fault(node, GRAMMAR)

    def _number(self, node: ast.expr) -> _Part:
        """Compile what can be reckoned with."""
        part = self._value(node)
        if part.kind == "text":
            raise self.written.fault(node, f'"{part.said}" is a text, and nothing can be reckoned with it')
        if part.constant is not None:
            fixed = float(part.constant)
            return _Part(lambda _: fixed, "number", part.said, fixed)
        return _Part(
            lambda values: numbers(part.get(values), part.said).astype(np.float64, copy=False),
            "number",
            part.said,
        )

    def _name(self, node: ast.Name) -> _Part:
        name = self.written.name(node)
        if name not in self.known:
            if name.lower() in TRUTHS:
                truth = TRUTHS[name.lower()]
                return _Part(lambda _: truth, "flag", name, truth)
            if name in self.given:
                raise self.written.fault(node, f'"{name}" is a list', f"Write: NAME in {name}.")
            raise self.written.fault(
                node,
                f'there is no "{name}"',
                f"{near(name, self.known)} A text is written in quotes: '{name}'.",
            )
        self.columns.add(name)
        kind = self.known[name] if isinstance(self.known, Mapping) else ""
        kind = kind if kind in KINDS else ""
        return _Part(lambda values: values[name], kind, name)

    def _unknown(self, name: str) -> str:
        hint = near(name, self.known)
        return hint if hint.startswith("Did") else f"{hint} A text is written in quotes: '{name}'."


def _joined(join: Any, tests: list[Evaluate]) -> Evaluate:
    first, *others = tests

    def joined(values: Values) -> Any:
        found = first(values)
        for other in others:
            found = join(found, other(values))
        return found

    return joined


def _depth(tree: ast.AST) -> int:
    depth, level = 0, [tree]
    while level := [child for node in level for child in ast.iter_child_nodes(node)]:
        depth += 1
    return depth
