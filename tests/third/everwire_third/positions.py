"""Subscriptions and positions (section 5.5): what is subscribed to, from where, and whether an entry is delivered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from .frames import Frame


@dataclass(frozen=True)
class Position:
    """The epoch and offset up to which a channel was received, and the run in which this was confirmed or moved last."""

    epoch: str
    offset: int
    run: Optional[str] = None


@dataclass
class View:
    """A subscription as one connection has it: the last position that it was asked for with, how often, and whether it is
    live."""

    asked: Optional[Position] = None
    asks: int = 0
    live: bool = False
    # When it is asked for again, because the answer was about another position.
    ask_at: Optional[float] = None


class Subscription:
    """A channel that the application wants, with its position."""

    def __init__(self, channel: str, options: Frame, position: Optional[Position] = None) -> None:
        self.channel = channel
        self.position = position
        # When it is asked for again after a temporary refusal; None unless it waits.
        self.retry_at: Optional[float] = None
        self._options = options

    def frame(self, view: View) -> Frame:
        """The `subscribe` with the current position."""
        view.asked, view.asks, view.ask_at = self.position, view.asks + 1, None
        frame: Frame = {"type": "subscribe", "channel": self.channel}
        if self.position is None:
            return {**frame, **self._options}
        frame.update(epoch=self.position.epoch, offset=self.position.offset)
        return frame if self.position.run is None else {**frame, "run": self.position.run}

    def subscribed(self, view: View, answer: Frame, run: str) -> Optional[Frame]:
        """Algorithm 3. Returns the gap to report; afterwards the subscription may not be live."""
        position, gap = self.position, answer.get("gap")
        told = Position(answer["epoch"], answer["offset"], run)
        about = self._is_about(view, answer)
        if position is None:
            if about:
                self.position, view.live = told, True
                return gap
        else:
            same = told.epoch == position.epoch and told.offset <= position.offset <= answer["head"]
            if same and (position.run == run or (about and (gap is None or gap["reason"] != "epoch"))):
                self.position, view.live = Position(position.epoch, position.offset, run), True
                return None
            if about:
                self.position, view.live = told, True
                trimmed = told.epoch == position.epoch and told.offset > position.offset
                reason = gap["reason"] if gap else "trimmed" if trimmed else "epoch"
                return {"from": position.offset + 1, "to": told.offset, "reason": reason}
        view.live = False
        return None

    def _is_about(self, view: View, answer: Frame) -> bool:
        """Whether an answer is about the present position: another transport may have moved it since it was asked for."""
        position, gap = self.position, answer.get("gap")
        if view.asked != position:
            return False
        if view.asks == 1:
            return True
        if position is None:
            return gap is None or bool(self._options.get("undelivered"))
        if gap is None:
            return bool(answer["epoch"] == position.epoch and answer["offset"] == position.offset)
        other = answer["epoch"] != position.epoch or answer["head"] < position.offset
        return bool(gap["from"] == position.offset + 1 and (gap["reason"] == "epoch" or not other))

    def entry(self, view: View, offset: int) -> str:
        """Algorithm 2: whether an entry is `delivered`, `dropped`, or a `violation` of the order."""
        if not view.live or self.position is None or offset <= self.position.offset:
            return "dropped"
        if offset > self.position.offset + 1:
            return "violation"
        self.position = Position(self.position.epoch, offset, self.position.run)
        return "delivered"
