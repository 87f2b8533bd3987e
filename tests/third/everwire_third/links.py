"""A connection attempt by one transport, from its first byte to its end, and by WebSocket (section 3.1)."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any, Coroutine, Optional, Protocol, TypeVar

from .frames import Batch, Frame, split, write_batch
from .session import Session, Views
from .websocket import Closed, NeverOpened, WebSocket

PATH = "/everwire/v1/ws"
SUBPROTOCOL = "everwire.v1"

# What the first batch may have besides the token.
_FIRST_BYTES = 4 * 1024
# The close code of a WebSocket that the client replaces or gives up.
_GIVEN_UP = 4013


@dataclass(frozen=True)
class End:
    """Why a link is over: the close code or the error code, if there was one."""

    reason: str
    code: Optional[int] = None
    # Whether a probe has found it dead.
    dead: bool = False


class Host(Protocol):
    """What a link needs of its client."""

    session: Session
    url: str

    @property
    def token(self) -> Optional[str]: ...

    def now(self) -> float: ...

    def own(self, seconds: float) -> float: ...

    def received(self, link: Link, batch: bytes) -> None: ...

    def batch(self, link: Link, batch: Batch) -> None: ...

    def frames(self, link: Link, frames: list[Frame]) -> None: ...

    def opened(self, link: Link) -> None: ...

    def ended(self, link: Link, end: End) -> None: ...

    def trouble(self, link: Link, reason: str) -> None: ...

    def recovered(self, link: Link) -> None: ...


T = TypeVar("T")


def spawn(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """A task whose failure is nobody's concern once it was given up."""
    task = asyncio.ensure_future(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Like `asyncio.wait_for`, which may lose a cancellation that arrives together with the result."""
    task = spawn(work)
    try:
        await asyncio.wait((task,), timeout=max(seconds, 0.0))
        if not task.done():
            raise asyncio.TimeoutError(f"nothing within {seconds:.1f} s")
        return task.result()
    finally:
        task.cancel()


class Link:
    name = ""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.views = Views()
        self.welcome: Optional[Frame] = None
        self.welcomed_at: Optional[float] = None
        self.started_at = self.received_at = host.now()
        self.opened = False
        # The token that it uses.
        self.token = host.token
        # Whether it has brought an entry, an ack or an answer; and anything at all besides the welcome.
        self.productive = self.brought = False
        # Why the client ends it, and the code with which the server has refused it.
        self.failure: Optional[str] = None
        self.refusal: Optional[str] = None
        # Whether a probe has found it dead.
        self.dead = False
        self._task = asyncio.ensure_future(self._whole())

    async def run(self) -> End:
        raise NotImplementedError

    def flush(self) -> None:
        """Sends what may be sent now."""
        raise NotImplementedError

    def answer(self, frames: list[Frame]) -> None:
        """Sends frames that answer the server's."""
        raise NotImplementedError

    def tick(self, now: float) -> None:
        """Looks after its own times."""
        raise NotImplementedError

    def leave(self, channel: str) -> None:
        """Ends a subscription."""
        raise NotImplementedError

    def new_token(self, token: str) -> None:
        """A new token for the open connection."""
        self.token = token

    async def say_bye(self) -> None:
        """Ends the session for good."""
        raise NotImplementedError

    def fail(self, reason: str) -> None:
        """Ends it without waiting for anything; `ended` is still called."""
        if self.failure is None:
            self.failure = reason
            self._task.cancel()

    async def _whole(self) -> None:
        end = End("failed")
        try:
            end = await self.run()
        except asyncio.CancelledError:
            end = End(self.failure or "cancelled", dead=self.dead)
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
        self.host.opened(self)
        try:
            hello = self.host.session.hello(self.token)
            room = _FIRST_BYTES + len((self.token or "").encode("utf-8"))
            self._send([hello, *self.host.session.wanted(self.views, self.host.now())], room)
            while True:
                batch = await self._socket.receive()
                self.received_at, self._asked_at = self.host.now(), None
                self.host.received(self, batch)
        except Closed as closed:
            return End(str(closed), closed.code)
        finally:
            self._socket.give_up(_GIVEN_UP)

    def flush(self) -> None:
        session, now = self.host.session, self.host.now()
        ephemeral = [frame for until, frame in session.ephemeral if until > now]
        session.ephemeral.clear()
        self._send([*session.missing(self.views, now), *ephemeral, *session.outbox.take(now)])

    def answer(self, frames: list[Frame]) -> None:
        self._send(frames)

    def tick(self, now: float) -> None:
        if self.welcome is None:
            return
        if now - self.received_at > self.welcome["ping_interval_ms"] / 1000 + self.host.own(10):
            return self.fail("nothing was received for too long")
        if self._asked_at is not None and now - self._asked_at > self.host.own(3):
            self.dead = True
            return self.fail("a ping was not answered")
        oldest = self.host.session.outbox.oldest()
        waited = 0.0 if oldest is None else now - oldest
        if waited > self.host.own(30):
            return self.fail("a send was not answered")
        if self._asked_at is None and waited > self.host.own(10) and now - self.received_at > self.host.own(1):
            self._asked_at = now
            self._send([{"type": "ping"}])
        return None

    def leave(self, channel: str) -> None:
        if self.views.of.pop(channel, None) is not None:
            self.views.leaving.add(channel)
            self._send([{"type": "unsubscribe", "channel": channel}])

    def new_token(self, token: str) -> None:
        super().new_token(token)
        self._send([{"type": "token", "token": token}])

    async def say_bye(self) -> None:
        self._send([{"type": "bye"}])
        if self._socket:
            with contextlib.suppress(asyncio.TimeoutError):
                await within(self.host.own(2), self._socket.close(1000))

    def _send(self, frames: list[Frame], first: Optional[int] = None) -> None:
        if self._socket is None or not frames:
            return
        limits = self.host.session.limits
        most_bytes, most = limits["batch_bytes"], limits["batch_frames"]
        for batch in split(frames, first=first or most_bytes, most_bytes=most_bytes, most=most):
            self._socket.send(write_batch(batch))
