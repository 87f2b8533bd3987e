"""What the client has sent and not seen answered: durable sends (section 6), and requests (7)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Iterator, Optional

from .frames import Frame

WINDOW = 32
MOST_SENDS = 1000
TOO_OLD_S = 24 * 3600.0
_RETRY_S = 1.0


def uuid7(time_ms: int) -> str:
    """A UUID of version 7 (RFC 9562, section 5.7)."""
    number = (time_ms & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10), "big")
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    text = f"{number:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


@dataclass
class Pending:
    """A send or a request: whether it is in flight on the present connection, since when, and when it first was."""

    frame: Frame
    ref: Optional[str] = None
    sent_at: Optional[float] = None
    first_sent_at: Optional[float] = None
    deadline: Optional[float] = None


class Outbox:
    def __init__(self) -> None:
        self.sends: dict[str, Pending] = {}
        self.requests: dict[str, Pending] = {}
        # Nothing is sent before this time, because the server has refused a send temporarily.
        self.paused_until: Optional[float] = None
        # Sends that go one by one, because one of them may be refused for good.
        self._suspects: list[str] = []

    def begin(self) -> None:
        """A new connection: everything that is unanswered goes out again, in order."""
        self.paused_until = None
        self.requeue()

    def requeue(self) -> None:
        for pending in self._all():
            pending.sent_at = None

    def take(self, now: float, most: int = 1000) -> list[Frame]:
        """What may be sent now, in order; it is in flight from now on."""
        return [self._sent(pending, now) for pending in self.waiting(now)[:most]]

    def waiting(self, now: float) -> list[Pending]:
        """What may be sent now, in order."""
        suspect = self._suspect()
        waiting = [pending for pending in self.requests.values() if pending.sent_at is None and suspect is None]
        if self.paused_until is not None and now < self.paused_until:
            return waiting
        if self.paused_until is not None:
            self.paused_until = None
            for pending in self.sends.values():
                pending.sent_at = None
        if suspect is not None:
            return [] if self.oldest() is not None else [suspect]
        return waiting + [pending for pending in list(self.sends.values())[:WINDOW] if pending.sent_at is None]

    def _suspect(self) -> Optional[Pending]:
        """The next one that goes alone."""
        self._suspects = [identity for identity in self._suspects if identity in self.sends]
        return self.sends[self._suspects[0]] if self._suspects else None

    def blame(self, ids: Optional[list[str]]) -> tuple[bool, Optional[Pending]]:
        """Sends were refused as a whole: those in `ids`, or else any in flight. Returns whether there are such, and the one that it was
        if it went alone."""
        in_flight = [identity for identity, pending in self.sends.items() if pending.sent_at is not None]
        named = [identity for identity in in_flight if ids is None or identity in ids]
        culprit = None
        if self._suspect() is not None and named == in_flight and len(named) == 1:
            culprit = self.sends.pop(named[0])
        else:
            self._suspects = [identity for identity in self.sends if identity in (*named, *self._suspects)]
        for identity in named:
            if identity in self.sends:
                self.sends[identity].sent_at = None
        return bool(named), culprit

    def oldest(self) -> Optional[float]:
        """Since when the send that has waited longest for its ack is in flight."""
        return min((pending.sent_at for pending in self.sends.values() if pending.sent_at is not None), default=None)

    def refused(self, frame: Frame, now: float) -> Optional[Pending]:
        """An `error` with an id. Returns the send or request that has failed for good; a temporary refusal is kept."""
        identity = frame["id"]
        if identity in self.sends and frame["retry"]:
            until = now + frame.get("retry_after_ms", _RETRY_S * 1000) / 1000
            # `deferred` only follows a refusal; what it names is sent again with it.
            if frame["code"] != "deferred" or self.paused_until is None:
                self.paused_until = max(until, self.paused_until or until)
            return None
        return self.sends.pop(identity, None) or self.requests.pop(identity, None)

    def withdrawn(self, ref: str) -> Optional[Pending]:
        """Takes out a send that is queued."""
        for identity, pending in self.sends.items():
            if pending.ref == ref and pending.sent_at is None:
                return self.sends.pop(identity)
        return None

    def expired(self, now: float) -> Iterator[tuple[str, Pending]]:
        """Takes out what is too old to be sent again, and requests that have waited too long."""
        for identity, pending in list(self.sends.items()):
            first = pending.first_sent_at
            if pending.sent_at is None and first is not None and now - first > TOO_OLD_S:
                yield "too_old", self.sends.pop(identity)
        for identity, pending in list(self.requests.items()):
            if pending.deadline is not None and now > pending.deadline:
                yield "timeout", self.requests.pop(identity)

    def _all(self) -> Iterator[Pending]:
        yield from self.requests.values()
        yield from self.sends.values()

    @staticmethod
    def _sent(pending: Pending, now: float) -> Frame:
        pending.sent_at = now
        pending.first_sent_at = pending.first_sent_at or now
        return pending.frame
