"""Table roles: which columns and labels of a table window features read, whatever their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tallystick.contracts import Contract

__all__ = ["TableRoles", "known"]

#: The currency's column of an amount whose contract names none.
_CURRENCY = "currency"


def known(label: str) -> str:
    """Return the name by which a condition asks whether a label has become known.

    >>> known("defaulted")
    'known(defaulted)'
    """
    return f"known({label})"


@dataclass(frozen=True, slots=True)
class TableRoles:
    """Columns and labels of a table by their roles.

    event_time: the column of event times; money: each amount's column (minor units) → the column of its
    currency; labels: what becomes known after an event, in the order of their codes from 1; aliases: other
    names of `known(LABEL)` in conditions → LABEL. Raises ValueError for an alias of no label.

    >>> roles = TableRoles("at", labels=("defaulted",), aliases={"bad": "defaulted"})
    >>> roles.label_codes, roles.main_label
    ({'known(defaulted)': 1, 'bad': 1}, 'bad')
    """

    event_time: str | None
    money: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for alias, label in self.aliases.items():
            if label not in self.labels:
                raise ValueError(f'"{alias}" names no label: "{label}"')

    @classmethod
    def of(cls, contract: Contract, aliases: Mapping[str, str] | None = None) -> TableRoles:
        """Take the roles that a contract declares."""
        money = {c.name: c.currency or _CURRENCY for c in contract.columns if c.type == "money"}
        return cls(contract.event_time, money, contract.labels, aliases or {})

    @property
    def label_codes(self) -> dict[str, int]:
        """Return each name by which conditions ask for a label, with the code of its label events."""
        codes = {known(label): code for code, label in enumerate(self.labels, 1)}
        return codes | {alias: self.labels.index(label) + 1 for alias, label in self.aliases.items()}

    @property
    def main_label(self) -> str | None:
        """Return the name by which `risk` asks for the first label: an alias, where one is declared."""
        if not self.labels:
            return None
        own = (alias for alias, label in self.aliases.items() if label == self.labels[0])
        return next(own, known(self.labels[0]))

    def currency(self, column: str) -> str:
        """Return the column of an amount's currency."""
        return self.money.get(column, _CURRENCY)
