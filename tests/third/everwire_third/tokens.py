"""The life of a token in a client (table 4.1): when the application is asked for one, and what a refusal of one means."""

from __future__ import annotations

import random
from typing import Callable, Optional

_FRESH_S = 10.0
_ASK_AGAIN_S = 40.0
_REFUSED_S = 4.0
_SAME_AGAIN_S = 10.0
# A token that expires no more than this later than the one before is the same again: the difference is that of latencies.
_SAME_S = 1.0


class Tokens:
    def __init__(self, token: Optional[str], asks: bool, own: Callable[[float], float], wanted: Callable[[], None]) -> None:
        self.token = token
        # Whether the application provides tokens; if not, the first one is the only one.
        self._asks = asks
        self._own, self._wanted = own, wanted
        self._asked_at: Optional[float] = None
        self._fresh_until = 0.0
        self._expires_at: Optional[float] = None
        # When the token before was to expire.
        self._replaced_expires_at: Optional[float] = None
        self._refresh_at: Optional[float] = None
        # Since when fresh tokens have been refused, and how often.
        self._refused_since: Optional[float] = None
        self._refusals = 0

    def ready(self, now: float) -> bool:
        """Whether a connection can begin; if not, the application is asked for a token."""
        if not self._asks:
            return True
        if self.token is not None and (self._expires_at is None or self._expires_at - now > 1.0):
            return True
        self._ask(now)
        return False

    def answer(self, token: str, now: float) -> None:
        self._fresh_until = (now if self._asked_at is None else self._asked_at) + self._own(_FRESH_S)
        self.token, self._asked_at = token, None
        self._replaced_expires_at = self._expires_at
        self._expires_at = self._refresh_at = None

    def accepted(self, used: Optional[str], expires_in_ms: Optional[int], now: float) -> None:
        """By `welcome` or `token_accepted`, for the token that its connection used."""
        self._refused_since, self._refusals = None, 0
        if expires_in_ms is None or used != self.token:
            return
        life = expires_in_ms / 1000
        self._expires_at = now + life
        self._refresh_at = now + (life / 2 if life < 60 else life - 30)
        replaced = self._replaced_expires_at
        if replaced is not None and self._expires_at <= max(replaced, now) + _SAME_S:
            self._refresh_at = now + self._own(_SAME_AGAIN_S)

    def tick(self, now: float, connected: bool) -> None:
        if self._asked_at is not None and now - self._asked_at > self._own(_ASK_AGAIN_S):
            self._asked_at = None
            self._ask(now)
        if self._refresh_at is not None and now >= self._refresh_at and connected and self._asks:
            self._refresh_at = None
            self._ask(now)

    def expired(self, used: Optional[str], now: float, told: bool) -> Optional[float]:
        """After `token_expired`, or only its close code. Returns the wait, or None for backoff."""
        if not self._asks:
            return None
        if used != self.token:
            return self._own(random.uniform(0, 0.25))
        self.token = None
        return self._own(random.uniform(0, 0.25)) if told and now >= self._fresh_until else None

    def unauthorized(self, used: Optional[str], now: float) -> Optional[float]:
        """Returns the wait, or None if the client has to stop."""
        if not self._asks:
            return None
        if used != self.token:
            return self._own(random.uniform(0, 0.25))
        self.token = None
        if now >= self._fresh_until:
            return self._own(random.uniform(0, 0.25))
        self._refused_since = now if self._refused_since is None else self._refused_since
        self._refusals += 1
        if now - self._refused_since >= self._own(_REFUSED_S):
            return None
        return self._own((1.0 if self._refusals == 1 else 3.5) + random.uniform(0, 1))

    def _ask(self, now: float) -> None:
        if self._asked_at is None:
            self._asked_at = now
            self._wanted()
