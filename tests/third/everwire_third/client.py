"""The life of a client: when it connects, by which transport, and when it stops (sections 4, 8 and 9)."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from dataclasses import dataclass, field
from typing import Optional

from .choice import Backoff, Choice
from .frames import Batch, Frame, Refused, outgoing, read_batch
from .links import End, Link, WebSocketLink
from .polling import PollLink
from .session import ANSWERS, Emit, Session, Violation
from .tokens import Tokens

# Codes after which a client stops for good: `terminal` in protocol/generated/codes.md.
TERMINAL_ERRORS = ("unauthorized", "banned", "session_mismatch", "unsupported_version")
TERMINAL_CLOSES = {4001: "unauthorized", 4003: "banned", 4004: "unsupported_version", 4005: "session_mismatch"}
_TOKEN_EXPIRED_CLOSE = 4006
# An `error` with one of these codes and without an id refuses a batch as a whole.
_OF_BATCHES = ("invalid_batch", "too_large")
# Another connection has taken the session.
_REPLACED_CLOSE = 4009
# A message was too large, for something between or for the server.
_TOO_BIG, _TOO_LARGE = 1009, 4011

_FALLBACK_S = 2.5
_GIVE_UP_S = 10.0
_LASTING_S = 10.0
_EPHEMERAL_S = 3.0
_ASK_AGAIN_S = 10.0
_TICK_S = 0.02
_LATE_S = 1.0


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
        self.url, self._speed, self._emit = options.url, options.speed, emit
        self.session = Session(emit, options.session, options.guest, self.own(_ASK_AGAIN_S))
        self.closed = asyncio.Event()
        self._tokens = Tokens(options.token, options.ask_token, self.own, lambda: emit("token_wanted"))
        self._choice, self._backoff = Choice(options.transports, self.own), Backoff(self.own)
        self._links: list[Link] = []
        self._active: Optional[Link] = None
        self._attempt_at: Optional[float] = self.now()
        # After a goaway: when the connection is left, and when the client returns.
        self._leave_at: Optional[float] = None
        self._return_at: Optional[float] = None
        self._code: Optional[str] = None
        self._closing = False
        # WebSockets in a row that ended because another connection has taken the session.
        self._replaced = 0
        # Whether the active link is repeating a poll that has failed.
        self._troubled = False
        self._ticked_at = self._judge_at = self.now()
        self._ticker = asyncio.ensure_future(self._tick_forever())

    @property
    def token(self) -> Optional[str]:
        return self._tokens.token

    def now(self) -> float:
        return time.monotonic()

    def own(self, seconds: float) -> float:
        return seconds / self._speed

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

    def cancel(self, ref: str) -> None:
        withdrawn = self.session.outbox.withdrawn(ref)
        if withdrawn:
            self.session.failed("cancelled", withdrawn)

    def request(self, frame: Frame, ref: Optional[str], timeout_ms: int) -> None:
        self.session.request(frame, ref, self.now() + timeout_ms / 1000)
        self._flush()

    def ephemeral(self, frame: Frame) -> None:
        self.session.ephemeral.append((self.now() + self.own(_EPHEMERAL_S), outgoing(frame)))
        self._flush()

    def set_token(self, token: str) -> None:
        self._tokens.answer(token, self.now())
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
            read = read_batch("server", batch, places=True)
        except Refused as unreadable:
            self._emit("invalid", code=unreadable.code, message=str(unreadable))
            return link.fail(f"a batch that cannot be read: {unreadable}")
        return self.batch(link, read)

    def batch(self, link: Link, batch: Batch) -> None:
        """A batch that was read. What could not be is reported, and the connection is replaced (EW-2-39)."""
        for refused in batch.refused.values():
            self._emit("invalid", code=refused.code, message=str(refused))
        self.frames(link, batch.frames)
        if batch.refused and link in self._links:
            link.fail("a frame that cannot be read")

    def frames(self, link: Link, frames: list[Frame]) -> None:
        try:
            for frame in frames:
                if link in self._links and link.failure is None:
                    self._frame(link, frame)
        except Violation as violation:
            self._emit("violation", message=str(violation))
            link.fail(str(violation))
        self._flush()

    def _frame(self, link: Link, frame: Frame) -> None:
        kind = frame["type"]
        if kind == "welcome":
            return self._welcomed(link, frame)
        if kind == "token_accepted":
            return self._tokens.accepted(link.token, frame.get("expires_in_ms"), self.now())
        if kind == "goaway" and self._return_at is None:
            self._leave_at = self.now() + frame["delay_ms"] / 1000
            self._return_at = self._leave_at + random.uniform(0, frame["spread_ms"]) / 1000
        if kind == "error" and "id" not in frame:
            self._code = frame["code"]
            if isinstance(link, PollLink):
                self._choice.request_refused()
            if frame["code"] in (*TERMINAL_ERRORS, "token_expired"):
                link.refusal = frame["code"]
                return link.fail(frame["code"])
        if link is self._active:
            link.brought = True
            link.productive = link.productive or kind in ("message", "ack", *ANSWERS)
            link.answer(self.session.receive(link.views, frame, self.now()))
            if isinstance(link, WebSocketLink) and frame.get("code") in _OF_BATCHES and "id" not in frame:
                # Without ids another refusal may be on its way.
                if self.session.blame(frame["code"], frame.get("ids")) and "ids" not in frame:
                    link.fail("a batch was refused")
        return None

    def _welcomed(self, link: Link, welcome: Frame) -> None:
        now = self.now()
        if welcome["version"] != 1:
            raise Violation(f"version {welcome['version']} was not named in hello")
        link.welcome, link.welcomed_at, link.views.run = welcome, now, welcome["run"]
        self._active, self._attempt_at = link, None
        for other in list(self._links):
            # A WebSocket that has not been welcomed yet still has its time.
            if other is not link and not (isinstance(other, WebSocketLink) and other.welcome is None):
                self._links.remove(other)
                other.fail("replaced")
        if isinstance(link, WebSocketLink):
            self._choice.websocket_welcomed()
        else:
            self._choice.poll_welcomed(now)
        self.session.begin(welcome["limits"])
        self._tokens.accepted(link.token, welcome.get("token_expires_in_ms"), now)
        self._connected(link)

    def trouble(self, link: Link, reason: str) -> None:
        if link is self._active and not self._troubled:
            self._troubled = True
            self._tell("reconnecting", reason=reason)

    def recovered(self, link: Link) -> None:
        if link is self._active and self._troubled:
            self._connected(link)

    def opened(self, link: Link) -> None:
        self._choice.websocket_opened()

    def ended(self, link: Link, end: End) -> None:
        """A link is over, unless it was replaced."""
        if link not in self._links:
            return
        self._links.remove(link)
        now, at_once, code = self.now(), False, end.code
        if link is self._active:
            self._active = None
            self.session.lost()
            # A WebSocket that ends because of a send proves nothing against WebSockets.
            if code in (_TOO_BIG, _TOO_LARGE) and self.session.blame("too_large"):
                code = _TOO_LARGE
        self._take_new_session(code)
        lasted = None if link.welcomed_at is None else now - link.welcomed_at
        if isinstance(link, WebSocketLink):
            at_once = self._choice.websocket_ended(now, link.opened, lasted, link.productive, code)
        if lasted is not None and lasted >= self.own(_LASTING_S) and link.brought:
            self._backoff.succeeded()
        if self._closing or self.closed.is_set():
            return
        refusal = link.refusal or TERMINAL_CLOSES.get(end.code or 0)
        if refusal or end.code == _TOKEN_EXPIRED_CLOSE:
            return self._refused(link, refusal, end)
        if self._links:
            return
        if at_once and self._return_at is None:
            self._links.append(PollLink(self))
            return self._tell("reconnecting", reason=end.reason, close=end.code, retry_in_ms=0)
        self._reconnect(end, self._backoff.soon() if end.dead else self._backoff.wait())

    def _take_new_session(self, code: Optional[int]) -> None:
        """A session that the application has stored may be in use by a copy of the program (EW-4-28)."""
        self._replaced = self._replaced + 1 if code == _REPLACED_CLOSE else 0
        if self._replaced == 2:
            self._replaced = 0
            self.session.id = str(uuid.uuid4())

    def _refused(self, link: Link, refusal: Optional[str], end: End) -> None:
        """The server has refused the client, or its token."""
        now = self.now()
        self._code = refusal or "token_expired"
        if self._code == "token_expired":
            wait = self._tokens.expired(link.token, now, told=refusal is not None)
            wait = self._backoff.wait() if wait is None else wait
        else:
            allowed = self._tokens.unauthorized(link.token, now) if self._code == "unauthorized" else None
            if allowed is None:
                return self._stop(self._code)
            wait = allowed
        if not self._links:
            self._reconnect(end, wait)

    # Times.

    def _reconnect(self, end: End, wait: float) -> None:
        self._attempt_at = self.now() + wait if self._return_at is None else self._return_at
        retry_in = int(max(0.0, self._attempt_at - self.now()) * 1000)
        self._tell("reconnecting", reason=end.reason, close=end.code, code=self._code, retry_in_ms=retry_in)

    def _attempt(self, now: float) -> None:
        if not self._tokens.ready(now):
            return
        self._attempt_at = self._leave_at = self._return_at = self._code = None
        self._tell("connecting")
        self._links.append(WebSocketLink(self) if self._choice.begins_with_websocket(now) else PollLink(self))

    async def _tick_forever(self) -> None:
        while not self._closing and not self.closed.is_set():
            self._tick()
            await asyncio.sleep(_TICK_S)

    def _tick(self) -> None:
        now = self.now()
        if now - self._ticked_at > self.own(_LATE_S) + _TICK_S:
            # The process was suspended, and what has arrived meanwhile is yet to be read.
            self._judge_at = now + self.own(1.0)
        self._ticked_at = now
        for code, pending in self.session.outbox.expired(now):
            self.session.failed(code, pending)
        self._tokens.tick(now, self._active is not None)
        if self._leave_at is not None and now >= self._leave_at and self._links:
            links, self._links, self._active = self._links, [], None
            for link in links:
                link.fail("the server asked for a reconnect")
            self._reconnect(End("the server asked for a reconnect"), 0.0)
        if self._attempt_at is not None and now >= self._attempt_at and not self._links:
            self._attempt(now)
        for link in list(self._links):
            if now >= self._judge_at:
                link.tick(now)
            if link.welcome is None:
                self._look_at(link, now)
        if isinstance(self._active, PollLink) and len(self._links) == 1 and self._choice.probe_due(now):
            self._links.append(WebSocketLink(self))
        self._flush()

    def _look_at(self, link: Link, now: float) -> None:
        """A link that has no welcome yet: the other transport is tried beside it. A WebSocket is given up later."""
        waited = now - link.started_at
        if isinstance(link, WebSocketLink) and waited > self.own(_GIVE_UP_S):
            link.fail("no welcome in time")
        elif waited > self.own(_FALLBACK_S) and len(self._links) == 1:
            if isinstance(link, PollLink) and self._choice.may_open_websocket(now):
                self._links.append(WebSocketLink(self))
            elif isinstance(link, WebSocketLink) and self._choice.may_poll():
                self._links.append(PollLink(self))

    def _flush(self) -> None:
        if self._active and self._active in self._links and self._active.failure is None:
            self._active.flush()

    # The state, and the end.

    def _connected(self, link: Link) -> None:
        self._troubled = False
        welcome = link.welcome or {}
        self._tell("connected", transport=link.name, **{key: welcome[key] for key in ("connection", "run", "user")})

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
