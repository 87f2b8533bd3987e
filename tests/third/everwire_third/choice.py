"""The choice of the transport (table 9.1), and how long to wait before the next attempt (table 9.2)."""

from __future__ import annotations

import random
from typing import Callable, Optional

# Close codes by which an Everwire server shows that it has closed a WebSocket itself (table 11.1).
DOCUMENTED = (1000, 1001, 1003, *range(4001, 4017))

_YOUNG_S = 10.0
_MOST_COUNTED = 6
_MOST_POLLED = 2
_PROBES_S = (30.0, 120.0, 300.0, 600.0, 1800.0)
_REMEMBER_S = 1800.0
_CAP_S = 20.0


class Choice:
    """What a client knows of its two transports."""

    def __init__(self, transports: tuple[str, ...], own: Callable[[float], float]) -> None:
        self._websocket, self._polling = "websocket" in transports, "polling" in transports
        self._own = own
        self._given_up_until = 0.0
        self._count = 0
        self._refusals = 0
        # Whether the last WebSocket was refused or never welcomed.
        self._unwelcomed = False
        self._probes = 0
        self._probe_at: Optional[float] = None
        # Whether the next attempt begins with polling, and how many did in a row without a welcome.
        self._polls_next = False
        self._polled = 0

    def begins_with_websocket(self, now: float) -> bool:
        """For an attempt that begins now."""
        given_up = now < self._given_up_until and self._polled < _MOST_POLLED
        polls = self._polling and (given_up or self._polls_next or not self._websocket)
        self._polls_next = False
        self._polled = self._polled + 1 if polls else 0
        return not polls

    def may_poll(self) -> bool:
        return self._polling

    def may_open_websocket(self, now: float) -> bool:
        """Beside a poll that has no welcome yet."""
        return self._websocket and now >= self._given_up_until

    def request_refused(self) -> None:
        """Requests reach the server, whatever it has answered."""
        self._polls_next = True

    def websocket_opened(self) -> None:
        self._refusals = 0

    def websocket_welcomed(self) -> None:
        self._given_up_until, self._unwelcomed, self._refusals, self._polled = 0.0, False, 0, 0
        self._probes, self._probe_at = 0, None

    def websocket_ended(self, now: float, opened: bool, lasted: Optional[float], productive: bool, code: Optional[int]) -> bool:
        """After the end of a WebSocket, and how long it was welcome, if it was. Returns whether to poll at once."""
        if lasted is None:
            self._unwelcomed = True
        if not opened:
            self._refusals += 1
            return self._polling and (self._refusals in (2, 4) or self._refusals % 8 == 0)
        if lasted is not None and lasted >= self._own(_YOUNG_S):
            self._count = 0
            return False
        if code in DOCUMENTED:
            return False
        self._count += 1 if productive else 2
        if self._count >= _MOST_COUNTED:
            self._count = 0
            self._give_up(now)
        # One that was welcomed has ended for good: the backoff comes first.
        self._polls_next = lasted is not None
        return self._polling and lasted is None

    def poll_welcomed(self, now: float) -> None:
        self._polled = 0
        if not self._websocket:
            return
        if self._unwelcomed:
            self._give_up(now)
        if self._probe_at is None:
            self._plan(now)

    def probe_due(self, now: float) -> bool:
        """Whether a WebSocket is to be tried beside polling; the next one is planned."""
        if self._probe_at is None or now < self._probe_at:
            return False
        self._probes += 1
        self._plan(now)
        return True

    def _give_up(self, now: float) -> None:
        self._given_up_until = now + self._own(_REMEMBER_S)

    def _plan(self, now: float) -> None:
        self._probe_at = now + self._own(_PROBES_S[min(self._probes, len(_PROBES_S) - 1)])


class Backoff:
    """How many attempts and connections have ended in a row."""

    def __init__(self, own: Callable[[float], float]) -> None:
        self._own = own
        self._failures = 0

    def succeeded(self) -> None:
        """After a connection that lasted and brought something."""
        self._failures = 0

    def wait(self) -> float:
        low, high = 0.0, 1.0
        if self._failures > 0:
            low, high = 0.25, min(_CAP_S, 0.5 * 2.0 ** min(self._failures, 10))
        self._failures += 1
        return self._own(random.uniform(low, high))

    def soon(self) -> float:
        """After a connection that was found dead."""
        self._failures += 1
        return self._own(random.uniform(0, 0.25))
