"""How a stream ends where something goes wrong: it says what did, and the next start goes on."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from tests.jobs.test_stream import run

from tallystick.errors import TallystickError
from tallystick.store import Store
from tallystick.streams.sinks.files import AppendedFile
from tallystick.streams.sources.follow import FollowedFile


def test_what_went_wrong_with_a_source_is_said_though_decisions_wait_to_be_delivered(
    arriving: Path, arriving_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source.jsonl"
    some = arriving.read_text().splitlines(keepends=True)[:30]
    source.write_text("".join(some))
    real_take, real_deliver = FollowedFile._take, AppendedFile.deliver

    def take(self: FollowedFile, most: int) -> Any:
        if taken := real_take(self, min(most, 10)):
            return taken
        raise TallystickError("The disk went away.")

    def deliver(self: AppendedFile, *given: Any) -> Any:
        time.sleep(0.3)
        return real_deliver(self, *given)

    with monkeypatch.context() as broken:
        broken.setattr(FollowedFile, "_take", take)
        broken.setattr(AppendedFile, "deliver", deliver)
        with pytest.raises(TallystickError, match="The disk went away"):
            run(source, arriving_model, tmp_path, until_idle=False)
    assert run(source, arriving_model, tmp_path).figures.events == 0  # all of it was kept
    ids = [json.loads(line)["id"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert ids == [json.loads(line)["transaction_id"] for line in some]


def test_what_was_opened_is_closed_where_a_stream_comes_to_nothing(
    arriving: Path, arriving_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []
    for kind in (AppendedFile, FollowedFile):
        monkeypatch.setattr(kind, "close", lambda self: closed.append(self.name))
    with Store.open(f"sqlite:///{tmp_path / 'state.db'}") as store:
        store.claim("fraud")
        with pytest.raises(TallystickError, match="is held by process"):
            run(arriving, arriving_model, tmp_path)
    assert closed == [arriving.as_uri(), (tmp_path / "out.jsonl").as_uri()]
