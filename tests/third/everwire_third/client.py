"""The life of a client: which transport it tries, when it reconnects, and when it stops (sections 4, 8, 9 and 11)."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import Optional

from .frames import Frame, Refused, outgoing, read_batch
from .links import End, Link, WebSocketLink
from .polling import PollLink
from .session import Emit, Session, Violation

# Codes after which a client stops for good: `terminal` in protocol/generated/codes.md.
TERMINAL_ERRORS = ("unauthorized", "banned", "session_mismatch", "unsupported_version")
TERMINAL_CLOSES = {4001: "unauthorized", 4003: "banned", 4004: "unsupported_version", 4005: "session_mismatch"}
_TOKEN_EXPIRED_CLOSE = 4006

_FALLBACK_S = 2.5
_GIVE_UP_S = 10.0
_PROBES_S = (30.0, 120.0, 300.0, 600.0, 1800.0)
_REMEMBER_S = 1800.0
_SHORT_S = 10.0
_MOST_BARREN = 3
_EPHEMERAL_S = 3.0
_TICK_S = 0.02


@dataclass
class Options:
    url: str
    token: Optional[str] = None
    # Whether the application is asked for tokens; `token` is then only the first one.
    ask_token: bool = False
    guest: Optional[Frame] = None
    session: Optional[str] = None
    transports: tuple[str, ...] = field(default=("websocket", "polling"))
    # Divides every time that the text leaves to the client, for tests; times in frames are not affected.
    speed: float = 1.0


class Client:
    def __init__(self, options: Options, emit: Emit) -> None:
        self.url, self.token = options.url, options.token
        self.session = Session(emit, options.session, options.guest)
        self.closed = asyncio.Event()
        self._closing = False
        # Whether the active link is repeating a poll that has failed.
        self._troubled = False
        self._options, self._emit = options, emit
        self._links: list[Link] = []
        self._active: Optional[Link] = None
        self._attempt_at: Optional[float] = self.now()
        self._failures = 0
        # Attempts in a row in which polling failed too: WebSocket is then worth a try, whatever is remembered.
        self._polls_failed = 0
        self._goaway_at: Optional[float] = None
        self._code: Optional[str] = None
        # WebSockets in a row that ended soon and brought nothing; whether the last attempt failed, and is to be remembered;
        # until when that is; when it is probed next, and how many probes there were.
        self._barren = 0
        self._websocket_failed = self._remember = False
        self._avoid_until = 0.0
        self._probe_at: Optional[float] = None
        self._probes = 0
        self._asked_token = False
        self._refresh_at: Optional[float] = None
        self._ticker = asyncio.ensure_future(self._tick_forever())

    @property
    def probing(self) -> bool:
        return self._active is not None and len(self._links) > 1

    def now(self) -> float:
        return time.monotonic()

    def own(self, seconds: float) -> float:
        return seconds / self._options.speed

    # From the application.

    def subscribe(self, command: Frame) -> None:
        self.session.subscribe(command)
        self._flush()

    def unsubscribe(self, channel: str) -> None:
        if self.session.subscriptions.pop(channel, None) is None:
            return
        for link in self._links:
            link.leave(channel)
        self._emit("unsubscribed", channel=channel)

    def send(self, frame: Frame, ref: Optional[str], identity: Optional[str]) -> None:
        self.session.send(frame, ref, identity)
        self._flush()

    def request(self, frame: Frame, ref: Optional[str], timeout_ms: int) -> None:
        self.session.request(frame, ref, self.now() + timeout_ms / 1000)
        self._flush()

    def ephemeral(self, frame: Frame) -> None:
        self.session.ephemeral.append((self.now() + self.own(_EPHEMERAL_S), outgoing(frame)))
        self._flush()

    def set_token(self, token: str) -> None:
        self.token, self._asked_token = token, False
        if self._active:
            self._active.new_token(token)

    async def close(self) -> None:
        """Says goodbye, and stops."""
        self._closing = True
        if self._active and not self.closed.is_set():
            await self._active.say_bye()
        self._stop("closed")

    # From the links.

    def received(self, link: Link, batch: bytes) -> None:
        try:
            read = read_batch("server", batch)
        except Refused as unreadable:
            self._emit("invalid", code=unreadable.code, message=str(unreadable))
            return link.fail(f"a batch that cannot be read: {unreadable}")
        for refused in read.refused.values():
            self._emit("invalid", code=refused.code, message=str(refused))
        return self.frames(link, read.frames)

    def frames(self, link: Link, frames: list[Frame]) -> None:
        try:
            for frame in frames:
                if link in self._links:
                    self._frame(link, frame)
        except Violation as violation:
            self._emit("violation", message=str(violation))
            link.fail(str(violation))
        self._flush()

    def _frame(self, link: Link, frame: Frame) -> None:
        kind = frame["type"]
        if kind == "welcome":
            return self._welcomed(link, frame)
        if kind == "goaway":
            delay = (frame["delay_ms"] + random.uniform(0, frame["spread_ms"])) / 1000
            self._goaway_at = self.now() + delay
        if kind == "error" and "id" not in frame:
            if frame["code"] in TERMINAL_ERRORS:
                return self._stop(frame["code"])
            self._code = frame["code"]
            if frame["code"] == "token_expired":
                link.fail("token expired")
                return self._token_expired(link)
        if link is not self._active:
            return None
        answers = self.session.receive(link.views, frame, self.now())
        link.productive = link.productive or kind in ("message", "ack")
        if answers and isinstance(link, WebSocketLink):
            link.answer(answers)
        return None

    def _welcomed(self, link: Link, welcome: Frame) -> None:
        link.welcome, link.views.run = welcome, welcome["run"]
        self._active, self._attempt_at = link, None
        for other in list(self._links):
            # A WebSocket that has not been welcomed yet still has its time.
            if other is not link and not (isinstance(other, WebSocketLink) and other.welcome is None):
                self._links.remove(other)
                other.fail("replaced")
        if isinstance(link, WebSocketLink):
            self._avoid_until, self._probe_at, self._probes = 0.0, None, 0
            self._websocket_failed = self._remember = False
        else:
            self._polls_failed = 0
            if self._websocket_failed:
                self._begin_probes()
        self.session.outbox.begin()
        expires = welcome.get("token_expires_in_ms")
        self._refresh_at = None if expires is None else self.now() + expires * 0.8 / 1000
        self._connected(link)

    def trouble(self, link: Link, reason: str) -> None:
        if link is self._active and not self._troubled:
            self._troubled = True
            self._tell("reconnecting", reason=reason)

    def recovered(self, link: Link) -> None:
        if link is self._active and self._troubled:
            self._connected(link)

    def _connected(self, link: Link) -> None:
        self._troubled = False
        welcome = link.welcome or {}
        self._tell("connected", transport=link.name, **{key: welcome[key] for key in ("connection", "run", "user")})

    def ended(self, link: Link, end: End) -> None:
        if link not in self._links:
            return
        self._links.remove(link)
        if end.code in TERMINAL_CLOSES:
            return self._stop(TERMINAL_CLOSES[end.code])
        if end.code == _TOKEN_EXPIRED_CLOSE:
            self._token_expired(link)
        if self._closing or self.closed.is_set():
            return None
        lived = self.now() - link.started_at
        barren = not link.productive and lived < self.own(_SHORT_S)
        if link is self._active:
            self._active = None
            self._failures = self._failures + 1 if barren else 0
        if isinstance(link, WebSocketLink):
            if link.opened:
                self._barren = self._barren + 1 if barren else 0
            if link.welcome is None and self._without_websocket(link):
                return None
        if link.welcome is None and isinstance(link, PollLink):
            self._polls_failed += 1
        if not self._links:
            if link.welcome is None:
                self._failures += 1
            self._reconnect(end)
        return None

    def _without_websocket(self, link: Link) -> bool:
        """A WebSocket has failed before its welcome. Returns whether there is polling in its place."""
        if "polling" not in self._options.transports:
            return False
        self._websocket_failed = True
        self._remember = self._remember or not link.opened or self._barren >= _MOST_BARREN or link.failure is not None
        if isinstance(self._active, PollLink):
            self._begin_probes()
        elif not self._links and self._goaway_at is None and self._may_connect():
            self._links.append(PollLink(self))
        return bool(self._links)

    def _begin_probes(self) -> None:
        if self._probe_at is None or self.now() >= self._probe_at:
            self._probe_at = self.now() + self.own(_PROBES_S[min(self._probes, len(_PROBES_S) - 1)])
        if self._remember:
            self._avoid_until, self._barren = self.now() + self.own(_REMEMBER_S), 0
        self._websocket_failed = self._remember = False

    # Times.

    def _reconnect(self, end: End) -> None:
        if self._failures == 0:
            delay = random.uniform(0, 1)
        else:
            delay = random.uniform(0.25, max(0.25, min(20.0, 0.5 * 2.0 ** min(self._failures, 10))))
        self._attempt_at = self._goaway_at or self.now() + self.own(delay)
        retry_in = int(max(0.0, self._attempt_at - self.now()) * 1000)
        self._tell("reconnecting", reason=end.reason, close=end.code, code=self._code, retry_in_ms=retry_in)

    def _may_connect(self) -> bool:
        """Whether there is a token; if not, the application is asked for one."""
        if self.token is not None or not self._options.ask_token:
            return True
        self._ask_token()
        return False

    def _attempt(self) -> None:
        if not self._may_connect():
            return
        self._attempt_at = self._goaway_at = self._code = None
        self._tell("connecting")
        polling = "polling" in self._options.transports
        preferred = self.now() >= self._avoid_until and self._barren < _MOST_BARREN or self._polls_failed > 1
        if "websocket" in self._options.transports and (preferred or not polling):
            self._links.append(WebSocketLink(self))
        else:
            if self._barren >= _MOST_BARREN:
                self._websocket_failed = self._remember = True
            self._links.append(PollLink(self))

    async def _tick_forever(self) -> None:
        while not self._closing and not self.closed.is_set():
            self._tick()
            await asyncio.sleep(_TICK_S)

    def _tick(self) -> None:
        now = self.now()
        for code, pending in self.session.outbox.expired(now):
            self.session.failed(code, pending)
        if self._refresh_at is not None and now >= self._refresh_at and self._options.ask_token:
            self._refresh_at = None
            self._ask_token()
        if self._goaway_at is not None and now >= self._goaway_at and self._links:
            for link in list(self._links):
                link.fail("the server asked for a reconnect")
            self._links, self._active, self._attempt_at = [], None, now
        if self._attempt_at is not None and now >= self._attempt_at and not self._links:
            self._attempt()
        for link in list(self._links):
            link.tick(now)
            if isinstance(link, WebSocketLink) and link.welcome is None:
                self._look_at(link, now)
        if self._probe_at is not None and now >= self._probe_at and len(self._links) == 1 and self._active:
            self._probes += 1
            self._probe_at = now + self.own(_PROBES_S[min(self._probes, len(_PROBES_S) - 1)])
            self._links.append(WebSocketLink(self))
        self._flush()

    def _look_at(self, link: Link, now: float) -> None:
        """A WebSocket that has no welcome yet: polling begins beside it, and later it is given up."""
        waited = now - link.started_at
        if waited > self.own(_GIVE_UP_S):
            link.fail("no welcome in time")
        elif waited > self.own(_FALLBACK_S) and len(self._links) == 1 and "polling" in self._options.transports:
            self._links.append(PollLink(self))

    def _flush(self) -> None:
        if self._active and self._active in self._links:
            self._active.flush()

    # The token, the state, the end.

    def _ask_token(self) -> None:
        if not self._asked_token:
            self._asked_token = True
            self._emit("token_wanted")

    def _token_expired(self, link: Link) -> None:
        self._code = "token_expired"
        if not self._options.ask_token:
            return self._stop("token_expired")
        # There may be a newer one already.
        if link.token == self.token:
            self.token = None
            self._ask_token()
        return None

    def _tell(self, status: str, **details: object) -> None:
        self._emit("state", status=status, **details)

    def _stop(self, code: str) -> None:
        if self.closed.is_set():
            return
        self.closed.set()
        links, self._links, self._active = self._links, [], None
        for link in links:
            link.fail(code)
        self.session.fail_all("closed")
        self._tell("closed", code=code)
