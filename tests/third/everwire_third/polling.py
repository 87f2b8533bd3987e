"""A connection by HTTP polling (section 3.2): one request that receives, held by the server, and one at a time that sends."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Optional

from . import http
from .frames import Batch, Frame, Refused, read_batch, split, write_batch
from .links import End, Host, Link
from .session import Views

PATH = "/everwire/v1/poll"

_HOLD_S = 25.0
_MOST_FRAMES = 100
# So many polls in a row may fail, or be answered with nothing because of another connection, before the link ends.
_MOST_FAILURES = 4
# So often a message or request has to fail alone, while others pass, until it counts as blocked.
_BLOCKED_BY_STATUS, _BLOCKED_WITHOUT = 2, 8
_PASSING = (401, 407, 408, 425, 429, 511)


class _Failed(Exception):
    """A request without a batch in return, with the status if there was one."""

    def __init__(self, reason: str, status: Optional[int] = None) -> None:
        super().__init__(reason)
        self.status = status


class PollLink(Link):
    name = "polling"

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._connection: Optional[str] = None
        # What the poll in flight has asked for.
        self._asked = self.views
        self._ack = 0
        self._hold = _HOLD_S
        self._again = asyncio.Event()
        self._outgoing = asyncio.Event()
        self._welcomed = asyncio.Event()
        # Channels that were left on this connection.
        self._left: set[str] = set()
        # The next poll is to be answered at once: it probes the connection.
        self._quick = False
        self._post_since: Optional[float] = None
        self._others: list[float] = []
        self._spread = False
        # How many messages and requests the next sending request has at most; and how often one of them has failed alone.
        self._most = _MOST_FRAMES - 1
        self._alone: dict[str, int] = {}

    async def run(self) -> End:
        loops = [asyncio.ensure_future(loop) for loop in (self._receive(), self._send())]
        try:
            done, _ = await asyncio.wait(loops, return_when=asyncio.FIRST_COMPLETED)
            return next(iter(done)).result()
        finally:
            for loop in loops:
                loop.cancel()

    def flush(self) -> None:
        session, now = self.host.session, self.host.now()
        if session.lacks(self._asked, now):
            if any(channel in self._left for channel in session.subscriptions):
                self._connection, self._ack = None, 0
                self._left.clear()
            self._again.set()
        if session.ephemeral or session.outbox.waiting(now):
            self._outgoing.set()

    def tick(self, now: float) -> None:
        if self._post_since is not None and now - self._post_since > self.host.own(10):
            self._post_since = None
            self._quick = True
            self._again.set()

    def leave(self, channel: str) -> None:
        self.views.of.pop(channel, None)
        if self._asked.of.pop(channel, None) is not None:
            self._left.add(channel)
            self._again.set()

    async def say_bye(self) -> None:
        hello = self.host.session.hello(None)
        with contextlib.suppress(_Failed):
            await self._ask([hello, {"type": "bye"}], self.host.own(2))

    async def _ask(self, frames: list[Frame], timeout: float) -> Batch:
        headers = {"Content-Type": "application/json"}
        self.token = self.host.token
        if self.host.token is not None:
            headers["Authorization"] = f"Bearer {self.host.token}"
        body = write_batch(frames).encode("utf-8")
        try:
            asked = http.post(http.Address.of(self.host.url), PATH, headers, body)
            status, text = await asyncio.wait_for(asked, timeout)
            if status != 200:
                raise _Failed(f"status {status}", status)
            return read_batch("server", text)
        except (http.HttpFailed, asyncio.TimeoutError) as error:
            raise _Failed(f"{type(error).__name__}: {error}") from None
        except Refused as refused:
            raise _Failed(f"not a batch: {refused}", 200) from None

    # Receiving.

    async def _receive(self) -> End:
        failures, overtaken = 0, False
        while True:
            self._again.clear()
            hold = self._hold_s()
            # By a WebSocket that is being tried: another poll would replace that in turn.
            while overtaken and self.host.probing:
                await asyncio.sleep(self.host.own(0.5))
            overtaken = False
            started = self.host.now()
            poll = asyncio.ensure_future(self._poll(hold))
            again = asyncio.ensure_future(self._again.wait())
            try:
                await asyncio.wait((poll, again), return_when=asyncio.FIRST_COMPLETED)
                if not poll.done():
                    continue
                overtaken = poll.result() == "overtaken" and self.host.probing
                wait = 0.0 if overtaken else self._next_in(poll.result(), started)
                failures = 0
                self.host.recovered(self)
            except _Failed as failed:
                failures += 1
                if failures >= _MOST_FAILURES or self.welcome is None:
                    return End(str(failed))
                took = self.host.now() - started
                if took >= self.host.own(2) and failed.status is None:
                    self._hold = max(self._hold * 2 / 3, 2.0)
                self.host.trouble(self, str(failed))
                wait = self.host.own(random.uniform(0, 0.5 * 2**failures))
            finally:
                poll.cancel()
                again.cancel()
            await self._pause(wait)

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._again.wait(), seconds)

    def _hold_s(self) -> float:
        if self._quick:
            self._quick = False
            return 0.0
        hold = self.host.own(self._hold)
        return hold if self.welcome is None else min(hold, self.welcome["hold_ms"] / 1000)

    async def _poll(self, hold: float) -> str:
        """Returns what came: `frames`, `nothing`, or `overtaken`."""
        session = self.host.session
        poll: Frame = {"type": "poll", "ack": self._ack, "hold_ms": int(hold * 1000)}
        named = self._connection
        if named is not None:
            poll["connection"] = named
        views = self._asked = self.views if named is not None else Views()
        wanted = session.wanted(views, self.host.now())
        batch = await self._ask([session.hello(None), poll, *wanted], hold + self.host.own(10))
        self.received_at = self.host.now()
        frames = batch.frames
        if not frames:
            return "overtaken"
        if frames[0]["type"] != "polled":
            # Only errors about the whole request come without `polled`, and `goaway` with them.
            self.host.frames(self, frames)
            raise _Failed("refused", 200)
        self._accept(frames, named, views)
        self.host.frames(self, frames)
        return "frames" if len(frames) > 1 else "nothing"

    def _accept(self, frames: list[Frame], named: Optional[str], views: Views) -> None:
        """Takes the number of a response. One that was received before, or belongs to another connection, is not taken."""
        seq = frames[0]["seq"]
        welcome = next((frame for frame in frames if frame["type"] == "welcome"), None)
        if welcome is None or welcome["connection"] == self._connection:
            if self._connection is None or named is None or seq != self._ack + 1:
                raise _Failed("a response of another connection, or an old one", 200)
        else:
            if named is not None:
                now = self.host.now()
                self._others = [at for at in self._others if now - at < self.host.own(25)] + [now]
                self._spread = len(self._others) >= 2
            self._connection, self.views = welcome["connection"], views
            if named is not None:
                views.of = {channel: type(view)(view.asked) for channel, view in views.of.items()}
        if welcome is None:
            self._others, self._spread = [], False
        self._ack = seq
        self._welcomed.set()

    def _next_in(self, came: str, started: float) -> float:
        """The time until the next poll."""
        since = self.host.now() - started
        if came == "overtaken":
            raise _Failed("overtaken by another connection", 200)
        if self._spread:
            return max(0.0, self.host.own(random.uniform(10, 12)) - since)
        if came == "frames":
            return 0.0
        unheld = self.welcome is not None and self.welcome["hold_ms"] == 0
        return max(0.0, self.host.own(5 if unheld else 7.5) - since)

    # Sending.

    async def _send(self) -> End:
        await self._welcomed.wait()
        failures = 0
        while True:
            frames = self._next()
            if not frames:
                await self._outgoing.wait()
                self._outgoing.clear()
                continue
            self._post_since = self.host.now()
            try:
                batch = await self._ask([self.host.session.hello(None), *frames], self.host.own(35))
                self.host.frames(self, batch.frames)
                failures = 0
                self._most = min(self._most * 2, _MOST_FRAMES - 1)
                if self._unanswered(frames):
                    await asyncio.sleep(self.host.own(1))
            except _Failed as failed:
                failures += 1
                self._unanswered(frames)
                await self._failed(frames, failed)
                await asyncio.sleep(self.host.own(random.uniform(0, min(20.0, 0.5 * 2 ** min(failures, 6)))))
            finally:
                self._post_since = None

    def _next(self) -> list[Frame]:
        """The frames of the next sending request, within its limits."""
        session, now = self.host.session, self.host.now()
        ephemeral = [frame for until, frame in session.ephemeral if until > now]
        session.ephemeral.clear()
        frames = ephemeral + [pending.frame for pending in session.outbox.waiting(now)[: self._most]]
        if not frames:
            return []
        first = split([session.hello(None), *frames], most=_MOST_FRAMES)[0][1:] or frames[:1]
        session.outbox.take(now, len(first) - len(ephemeral[: len(first)]))
        return first

    def _unanswered(self, frames: list[Frame]) -> bool:
        """What a request has left unanswered goes into a later one."""
        outbox, left = self.host.session.outbox, False
        if outbox.paused_until is not None:
            return False
        for frame in frames:
            pending = outbox.sends.get(str(frame.get("id"))) or outbox.requests.get(str(frame.get("id")))
            if pending:
                pending.sent_at, left = None, True
        return left

    async def _failed(self, frames: list[Frame], failed: _Failed) -> None:
        """After a failure one at a time, so that one that never passes does not hold up the others."""
        self._most = 1
        identity = str(frames[0].get("id"))
        if len(frames) > 1 or failed.status in _PASSING:
            return
        try:
            await self._ask([self.host.session.hello(None)], self.host.own(10))
        except _Failed:
            return
        self._alone[identity] = self._alone.get(identity, 0) + 1
        by_status = failed.status is not None and 400 <= failed.status < 500
        if self._alone[identity] >= (_BLOCKED_BY_STATUS if by_status else _BLOCKED_WITHOUT):
            outbox = self.host.session.outbox
            pending = outbox.sends.pop(identity, None) or outbox.requests.pop(identity, None)
            if pending:
                self.host.session.failed("blocked", pending)
