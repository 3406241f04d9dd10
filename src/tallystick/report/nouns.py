"""The words that a solution uses for its records, for use in the texts of reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Nouns"]


@dataclass(frozen=True, slots=True)
class Nouns:
    """Words for the texts of a report; the defaults are neutral.

    record, records: what is scored; event, events: what a binary task looks for, `is_event` after "is";
    entity, entities: whom records belong to; other: the adjective of a record that is no event; stopped: what
    the strongest action does to a record; actions: what happens after each action, by its name; figures:
    title and meaning of figures that only this solution has, by their keys in a report; oracle: what the
    oracle of simulated records knows.

    >>> Nouns().records, Nouns(records="calls").actions["review"]
    ('records', 'looked at by a person')
    """

    record: str = "record"
    records: str = "records"
    event: str = "event"
    events: str = "events"
    is_event: str = "an event"
    entity: str = "entity"
    entities: str = "entities"
    other: str = "other"
    stopped: str = "stopped"
    actions: Mapping[str, str] = field(
        default_factory=lambda: {"review": "looked at by a person", "decline": "stopped"}
    )
    figures: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    oracle: str = "The oracle knows how the records were simulated: the best that can be expected of a model."
