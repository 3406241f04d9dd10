"""What a simulation is made of: sizes, rates and habits, from a file of a few lines.

Built-in ones lie in `presets/*.yaml`; a file of one's own says `like:` one of them and what differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import yaml

from tallystick import durations
from tallystick.errors import UsageError, did_you_mean
from tallystick.solutions.fraud.simulator.payments import SCENARIOS

__all__ = ["COLUMNS", "MILLION", "PRESETS", "Preset", "chosen", "read"]

FOLDER = Path(__file__).with_name("presets")
PRESETS: Final = tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))
MILLION: Final = 1_000_000
COLUMNS: Final = (
    "transaction_id", "event_time", "customer_id", "terminal_id", "amount", "currency", "place",
    "merchant_category", "channel", "device", "device_id", "payee_id", "is_fraud", "scenario",
    "label_known_at",
)  # fmt: skip


@dataclass(frozen=True)
class Preset:
    """A bank's customers, its frauds and what goes wrong on the way; times in seconds, money in cents.

    customers: how many, 0 where they follow from rows and days; terminals: for each customer.
    frauds: how many of each kind begin on a day for 10,000 customers. Shares are of all payments.
    """

    about: str = ""
    seed: int = 0
    start: date = date(2025, 1, 1)
    days: int = 153
    customers: int = 0
    terminals: float = 2.0
    most_payments: float = 4.0
    noon: int = 43_200
    spread: int = 20_000
    high_amount: int = 0
    large: float = 0.0
    away: float = 0.0
    refunds: float = 0.0
    contactless: float = 0.0
    online: float = 0.0
    transfers: float = 0.0
    other_device: float = 0.0
    frauds: Mapping[str, float] = field(default_factory=dict)
    label_delay: int = 7 * 86_400
    label_spread: str = "exponential"
    disorder: float = 0.0
    late: float = 0.0
    late_by: int = 7_200
    duplicates: float = 0.0
    broken: float = 0.0
    currencies: Mapping[str, int] = field(default_factory=lambda: {"USD": 1})
    columns: tuple[str, ...] = COLUMNS

    @classmethod
    def of(cls, words: Mapping[str, Any], where: str) -> Preset:
        """Check what a file says; UsageError names the setting, what is wrong and what there is."""
        known = {one.name for one in fields(cls)}
        for name in words:
            if name not in known:
                raise UsageError(
                    f'{where}: "{name}" is no setting of a simulation.', did_you_mean(name, known)
                )
        return cls(**{name: _value(where, name, value) for name, value in words.items()})


_COUNTS: Final = {"seed": 0, "days": 1, "customers": 0}
_TIMES: Final = {"noon", "spread", "label_delay", "late_by"}
_SHARES: Final = {
    "large", "away", "refunds", "contactless", "online", "transfers", "other_device", "disorder", "late",
    "duplicates", "broken",
}  # fmt: skip


def _value(where: str, name: str, value: Any) -> Any:
    """Turn one value of a file into what a preset holds."""
    if name in _COUNTS:
        if isinstance(value, int) and not isinstance(value, bool) and value >= _COUNTS[name]:
            return value
        raise _wrong(where, name, value, f"a whole number of at least {_COUNTS[name]}")
    if name in _TIMES:
        return _seconds(where, name, value)
    if name in _SHARES:
        return _number(where, name, value, 1.0)
    if name in ("terminals", "most_payments"):
        return max(_number(where, name, value, 12.0 if name == "most_payments" else 1_000.0), 0.01)
    if name == "high_amount":
        return round(100 * _number(where, name, value, 1e9))
    if name in ("frauds", "currencies", "columns"):
        return _listed(where, name, value)
    if name == "start":
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        raise _wrong(where, name, value, "a date such as 2025-01-01")
    if name == "label_spread" and value not in ("none", "exponential"):
        raise _wrong(where, name, value, "none or exponential")
    return str(value)


def _listed(where: str, name: str, value: Any) -> Any:
    if name == "columns":
        if not isinstance(value, list) or not value:
            raise _wrong(where, name, value, "a list of columns")
        for one in value:
            if one not in COLUMNS:
                raise UsageError(f'{where}: there is no column "{one}".', did_you_mean(str(one), COLUMNS))
        return tuple(column for column in COLUMNS if column in value)
    if not isinstance(value, Mapping):
        raise _wrong(where, name, value, "names, each with a number")
    if name == "currencies":
        if all(isinstance(weight, int) and weight > 0 for weight in value.values()) and value:
            return {str(code): weight for code, weight in value.items()}
        raise _wrong(where, name, value, "currencies, each with a whole weight above nought")
    kinds = [kind for kind in SCENARIOS if kind and kind != "high_amount"]
    for kind in value:
        if kind not in kinds:
            raise UsageError(f'{where}: there is no fraud "{kind}".', did_you_mean(str(kind), kinds))
    return {kind: _number(where, f"frauds: {kind}", rate, 10_000.0) for kind, rate in value.items()}


def _number(where: str, name: str, value: Any, most: float) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most:
        return float(value)
    raise _wrong(where, name, value, f"a number from 0 to {most:g}")


def _seconds(where: str, name: str, value: Any) -> int:
    try:
        return durations.parse(str(value), zero=True) // durations.SECOND
    except ValueError:
        raise _wrong(where, name, value, "a length of time such as 90s, 30m, 2h or 7d") from None


def _wrong(where: str, name: str, value: Any, wanted: str) -> UsageError:
    return UsageError(f'{where}: {name} is "{value}".', f"Write {wanted}.")


def chosen(preset: str) -> str:
    """Give the built-in preset that this one is, or is like.

    >>> chosen("handbook")
    'handbook'
    """
    return preset if preset in PRESETS else read(preset)[0]


def read(preset: str) -> tuple[str, dict[str, Any]]:
    """Give the built-in preset that this one is like, and all that is set; raises UsageError.

    preset: the name of a built-in one, or a path that ends in .yaml or .yml.
    """
    if preset in PRESETS:
        return preset, _mapping(FOLDER / f"{preset}.yaml")
    path = Path(preset)
    if path.suffix not in (".yaml", ".yml"):
        raise UsageError(
            f'There is no preset "{preset}".',
            did_you_mean(preset, PRESETS) + " A file of your own ends in .yaml.",
        )
    words = _mapping(path)
    like = str(words.pop("like", "default"))
    if like not in PRESETS:
        raise UsageError(f'{preset}: like is "{like}", which is no preset.', did_you_mean(like, PRESETS))
    return like, {**_mapping(FOLDER / f"{like}.yaml"), **words}


def _mapping(path: Path) -> dict[str, Any]:
    try:
        words = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise UsageError(
            f"{path} cannot be read: {reason}.", "Name a file, or a preset: " + ", ".join(PRESETS)
        ) from None
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is no YAML: {error}", "Write one setting a line: days: 30.") from None
    if words is not None and not isinstance(words, dict):
        raise UsageError(f"{path} holds no settings.", "Write one a line: days: 30.")
    return {str(name): value for name, value in (words or {}).items()}
