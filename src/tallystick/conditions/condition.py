"""The language of conditions on a row's values, for windows, rules, routing and notifications.

`amount < 220 and not night`, `place in ['Lagos', 'Kyiv']`, `amount > 3 * customer_id__mean_amount__30d`

- Names are columns, derived names (`DERIVED`) and features. A pair's feature is written as it is called,
  without blanks at its `+`: `customer_id+terminal_id__count__90d`; where no such name is known, the `+` adds.
  Any other name goes in backticks. `known(LABEL)` is one name: whether that label is known, for windows.
- Values are numbers, 'texts', true, false and lists of either; texts are equal when each letter is.
- `and or not`, `== != < <= > >=` (also `0 < amount < 9`), `in`, `not in` with a list or the name of one,
  `+ - * /`.
- Functions: `missing(x)`, and of a text and a list `is_any`, `has_any`, `words`, `all_words`, `no_words`
  (`conditions/terms.py`).
- What is not known (NaN, None, and what is divided by zero) compares false with everything, by `!=` and
  `not in` too. `not` turns that round: `not amount < 9` holds where the amount is unknown, `amount >= 9`
  does not. `amount == amount` asks whether it is known.
- Each row is judged by itself: one alone comes out as it does among a million.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.conditions.comparisons import WrongKindError
from tallystick.conditions.compiler import Compiler, Evaluate, Values
from tallystick.conditions.terms import Term
from tallystick.conditions.text import HINT
from tallystick.errors import UsageError, did_you_mean

__all__ = ["DERIVED", "Condition"]

#: What is derived from a row's time (in the setting `zone`), and what kind of value each is.
DERIVED = {"hour": "number", "weekday": "number", "night": "flag", "weekend": "flag"}


@dataclass(frozen=True)
class Condition:
    """A condition that was read and checked, ready to be asked of any number of rows.

    required: flags among `columns` without which it never holds; terms: see `conditions/terms.py`;
    terms_alone: it is nothing but terms.

    >>> condition = Condition.parse("amount < 220 and place != 'Oslo'", ["amount", "place"])
    >>> sorted(condition.columns)
    ['amount', 'place']
    >>> place = np.array(["Lagos", "Oslo", None, "Lagos"], object)
    >>> condition.holds({"amount": np.array([12.5, 12.5, 12.5, np.nan]), "place": place}).tolist()
    [True, False, False, False]
    """

    text: str
    columns: frozenset[str]
    lists: frozenset[str] = frozenset()
    _test: Evaluate = field(compare=False, repr=False, default=lambda _: None)
    _again: tuple[Any, ...] = field(compare=False, repr=False, default=())
    required: frozenset[str] = field(compare=False, repr=False, default=frozenset())
    terms: tuple[Term, ...] = field(compare=False, repr=False, default=())
    terms_alone: bool = field(compare=False, repr=False, default=False)

    @classmethod
    def parse(
        cls, text: str, known: Collection[str], lists: Mapping[str, Collection[str | None]] | None = None
    ) -> Condition:
        """Read a condition; a UsageError says what is wrong with it, and at which character.

        known: the names there are; as a mapping to "number", "text" or "flag" (any other word: not told)
        kinds are checked too. lists: texts by name, for `in`; compared with numbers they are read as such.
        """
        lists = lists or {}
        compiler = Compiler(text, known, lists)
        test = compiler.compile()
        kinds = known if isinstance(known, Mapping) else dict.fromkeys(compiler.columns, "")
        again = (
            text,
            {name: kinds[name] for name in sorted(compiler.columns)},
            {name: tuple(lists[name]) for name in sorted(compiler.lists)},
        )
        return cls(
            text,
            frozenset(compiler.columns),
            frozenset(compiler.lists),
            test,
            again,
            compiler.required,
            compiler.terms,
            compiler.terms_alone,
        )

    def holds(self, values: Values) -> NDArray[np.bool_]:
        """Say of each row whether it holds: bool (rows,).

        values: an array (rows,) for each of `columns`: float64 (money in major units, NaN unknown), bool, or
        objects (texts, None unknown). UsageError where one is missing or is a text where a number is wanted.
        """
        try:
            found: NDArray[np.bool_] = self._test(values)
        except KeyError as error:
            raise UsageError(
                f'The condition "{self.text}" needs {error.args[0]}, which is not there.',
                did_you_mean(str(error.args[0]), values),
            ) from None
        except WrongKindError as error:
            raise UsageError(f'The condition "{self.text}" cannot be judged: {error}', HINT) from None
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as text: closures stay at home."""
        return Condition.parse, self._again
