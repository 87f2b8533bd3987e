"""Subscriptions and positions (section 5): what is subscribed to, from where, and whether an entry is delivered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from .frames import Frame


@dataclass(frozen=True)
class Position:
    """The epoch and offset up to which a channel was received, and the run in which this was confirmed or moved."""

    epoch: str
    offset: int
    run: Optional[str] = None


@dataclass
class View:
    """A subscription as one connection has it: the position that it was asked for with, and whether it was answered."""

    asked: Optional[Position] = None
    open: bool = False


@dataclass
class Outcome:
    """What a `subscribed` means: a gap for the application, a position to be asked for again, or a violation."""

    gap: Optional[Frame] = None
    again: bool = False
    violation: bool = False


class Subscription:
    """A channel that the application wants, with its position."""

    def __init__(self, channel: str, options: Frame, position: Optional[Position] = None) -> None:
        self.channel = channel
        self.position = position
        # When a refused subscription is asked for again; None unless it waits.
        self.retry_at: Optional[float] = None
        self._options = options

    def frame(self, view: View) -> Frame:
        """The `subscribe` with the current position."""
        view.asked = self.position
        frame: Frame = {"type": "subscribe", "channel": self.channel}
        if self.position is None:
            return {**frame, **self._options}
        frame.update(epoch=self.position.epoch, offset=self.position.offset)
        return frame if self.position.run is None else {**frame, "run": self.position.run}

    def subscribed(self, view: View, frame: Frame, run: str) -> Outcome:
        position, gap = self.position, frame.get("gap")
        told = Position(frame["epoch"], frame["offset"], run)
        if position is None or (gap is not None and gap["reason"] == "epoch"):
            self.position, view.open = told, True
            return Outcome(gap)
        if told.epoch != position.epoch:
            return Outcome(violation=True)
        if position.run not in (None, run) and position.offset > 0 and view.asked != position:
            return Outcome(again=True)
        # The position may have moved by another connection since it was asked for: it never goes back within a log.
        view.open = True
        self.position = Position(told.epoch, max(told.offset, position.offset), run)
        if told.offset <= position.offset:
            return Outcome()
        return Outcome(gap, violation=gap is None)

    def entry(self, view: View, offset: int, run: str) -> str:
        """Whether an entry is `delivered`, `dropped` as a duplicate, or a `violation` of the order."""
        if not view.open or self.position is None or offset <= self.position.offset:
            return "dropped"
        if offset > self.position.offset + 1:
            return "violation"
        self.position = Position(self.position.epoch, offset, run)
        return "delivered"
