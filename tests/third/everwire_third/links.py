"""A connection attempt by one transport, from its first byte to its end, and by WebSocket (section 3.1)."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Optional, Protocol

from .frames import Frame, split, write_batch
from .session import Session, Views
from .websocket import Closed, NeverOpened, WebSocket

PATH = "/everwire/v1/ws"
SUBPROTOCOL = "everwire.v1"

# What the first batch may have besides the token.
_FIRST_BYTES = 4 * 1024


@dataclass(frozen=True)
class End:
    """Why a link is over: the close code or the error code, if there was one."""

    reason: str
    code: Optional[int] = None


class Host(Protocol):
    """What a link needs of its client."""

    session: Session
    url: str
    token: Optional[str]

    @property
    def probing(self) -> bool: ...

    def now(self) -> float: ...

    def own(self, seconds: float) -> float: ...

    def received(self, link: Link, batch: bytes) -> None: ...

    def frames(self, link: Link, frames: list[Frame]) -> None: ...

    def ended(self, link: Link, end: End) -> None: ...

    def trouble(self, link: Link, reason: str) -> None: ...

    def recovered(self, link: Link) -> None: ...


class Link:
    name = ""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.views = Views()
        self.welcome: Optional[Frame] = None
        self.started_at = self.received_at = host.now()
        self.opened = False
        # The token that it uses.
        self.token = host.token
        # Whether it has delivered an entry or an ack.
        self.productive = False
        self._task = asyncio.ensure_future(self._whole())
        self.failure: Optional[str] = None

    async def run(self) -> End:
        raise NotImplementedError

    def flush(self) -> None:
        """Sends what may be sent now."""
        raise NotImplementedError

    def tick(self, now: float) -> None:
        """Looks after its own times."""

    def leave(self, channel: str) -> None:
        """Ends a subscription."""
        raise NotImplementedError

    def new_token(self, token: str) -> None:
        """A new token for the open connection."""

    async def say_bye(self) -> None:
        """Ends the session for good."""

    def fail(self, reason: str) -> None:
        """Ends it without waiting for anything; `ended` is still called."""
        self.failure = reason
        self._task.cancel()

    async def _whole(self) -> None:
        end = End("failed")
        try:
            end = await self.run()
        except asyncio.CancelledError:
            end = End(self.failure or "replaced")
        finally:
            self.host.ended(self, end)


class WebSocketLink(Link):
    name = "websocket"

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._socket: Optional[WebSocket] = None
        self._asked_at: Optional[float] = None

    async def run(self) -> End:
        try:
            self._socket = await WebSocket.open(self.host.url, PATH, SUBPROTOCOL)
        except NeverOpened as error:
            return End(str(error))
        self.opened = True
        try:
            hello = self.host.session.hello(self.host.token)
            room = _FIRST_BYTES + len((self.host.token or "").encode("utf-8"))
            self._send([hello, *self.host.session.wanted(self.views, self.host.now())], first_bytes=room)
            while True:
                batch = await self._socket.receive()
                self.received_at, self._asked_at = self.host.now(), None
                self.host.received(self, batch)
        except Closed as closed:
            return End(str(closed), closed.code)
        finally:
            self._socket.abort()

    def flush(self) -> None:
        session, now = self.host.session, self.host.now()
        ephemeral = [frame for until, frame in session.ephemeral if until > now]
        session.ephemeral.clear()
        self._send([*session.missing(self.views, now), *ephemeral, *session.outbox.take(now)])

    def tick(self, now: float) -> None:
        if self.welcome is None:
            return
        silence = self.welcome["ping_interval_ms"] / 1000 + self.host.own(10)
        if now - self.received_at > silence:
            return self.fail("nothing was received for too long")
        oldest = self.host.session.outbox.oldest()
        if self._asked_at is not None and now - self._asked_at > self.host.own(10):
            return self.fail("a ping was not answered")
        if self._asked_at is None and oldest is not None and now - max(oldest, self.received_at) > self.host.own(10):
            self._asked_at = now
            self._send([{"type": "ping"}])
        return None

    def leave(self, channel: str) -> None:
        if self.views.of.pop(channel, None) is not None:
            self.views.leaving.add(channel)
            self._send([{"type": "unsubscribe", "channel": channel}])

    def new_token(self, token: str) -> None:
        self._send([{"type": "token", "token": token}])

    def answer(self, frames: list[Frame]) -> None:
        self._send(frames)

    async def say_bye(self) -> None:
        self._send([{"type": "bye"}])
        if self._socket:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._socket.close(1000), self.host.own(2))

    def _send(self, frames: list[Frame], first_bytes: Optional[int] = None) -> None:
        if self._socket is None or not frames:
            return
        batches = split(frames) if first_bytes is None else split(frames, first_bytes=first_bytes)
        for batch in batches:
            self._socket.send(write_batch(batch))
