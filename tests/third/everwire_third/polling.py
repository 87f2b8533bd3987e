"""A connection by HTTP polling (sections 3.2 to 3.6): one request that receives, held by the server, and one that sends."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Optional

from . import http
from .frames import MAX_BATCH_BYTES, Batch, Frame, Refused, read_batch, write_batch
from .links import End, Host, Link, spawn, within
from .posts import PATH, Posts, RequestFailed
from .session import Views

_HOLD_S = 25.0
_MOST_FAILURES = 2


class PollLink(Link):
    name = "polling"

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._connection: Optional[str] = None
        self._ack = 0
        self._hold = _HOLD_S
        # What the poll in flight has asked for; and channels that were left on this connection.
        self._asked = self.views
        self._left: set[str] = set()
        self._again = asyncio.Event()
        # The next poll is to be answered at once: it probes the connection.
        self._quick = False
        # When polls that named a connection were answered by another one, and whether polls are therefore spread.
        self._others: list[float] = []
        self._spread = False
        self._posts = Posts(host, self)

    async def run(self) -> End:
        loops = [spawn(self._receive()), spawn(self._posts.run())]
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
                self._begin_anew()
            self._again.set()
        if session.ephemeral or session.outbox.waiting(now):
            self._posts.wake()

    def answer(self, frames: list[Frame]) -> None:
        for frame in frames:
            if frame["type"] == "subscribe":
                self._again.set()
            else:
                self.host.session.ephemeral.append((self.host.now() + self.host.own(3), frame))

    def tick(self, now: float) -> None:
        if self._posts.is_late(now):
            self._quick = True
            self._again.set()

    def leave(self, channel: str) -> None:
        asked = channel in self._asked.of
        for views in (self.views, self._asked):
            views.of.pop(channel, None)
        if asked:
            self._left.add(channel)
            self._again.set()

    async def say_bye(self) -> None:
        hello = self.host.session.hello(None)
        with contextlib.suppress(RequestFailed):
            await self.ask([hello, {"type": "bye"}], self.host.own(2))

    async def ask(self, frames: list[Frame], timeout: float) -> Batch:
        """Posts a batch, and returns the batch in return."""
        headers = {"Content-Type": "application/json"}
        token = self.host.token
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        body = write_batch(frames).encode("utf-8")
        try:
            status, text = await within(timeout, http.post(http.Address.of(self.host.url), PATH, headers, body))
        except (http.HttpFailed, asyncio.TimeoutError) as error:
            raise RequestFailed(str(error)) from None
        # What the answer says about the token is about this one.
        self.token = token
        if status != 200:
            raise RequestFailed(f"status {status}", status)
        try:
            return read_batch("server", text, places=True)
        except Refused as refused:
            raise RequestFailed(f"not a batch: {refused}", status) from None

    async def _receive(self) -> End:
        failures = 0
        while self.failure is None:
            self._again.clear()
            quick, self._quick = self._quick, False
            hold, started = self._hold_s(quick), self.host.now()
            poll, again = spawn(self._poll(hold, quick)), spawn(self._again.wait())
            try:
                await asyncio.wait((poll, again), return_when=asyncio.FIRST_COMPLETED)
                if not poll.done():
                    continue
                wait = self._next_in(poll.result(), hold, started)
                failures = 0
                self.host.recovered(self)
            except RequestFailed as failed:
                failures += 1
                if failures >= _MOST_FAILURES or self.welcome is None or quick:
                    return End(str(failed), dead=quick)
                took = self.host.now() - started
                if took >= self.host.own(2) and failed.status is None:
                    self._hold = took / self.host.own(1) * 2 / 3
                self.host.trouble(self, str(failed))
                wait = self.host.own(random.uniform(0, 1))
            finally:
                poll.cancel()
                again.cancel()
            if wait > 0:
                with contextlib.suppress(asyncio.TimeoutError):
                    await within(wait, self._again.wait())
        return End(self.failure or "failed")

    def _hold_s(self, quick: bool) -> float:
        if quick:
            return 0.0
        hold = self.host.own(self._hold)
        return hold if self.welcome is None else min(hold, self.welcome["hold_ms"] / 1000)

    async def _poll(self, hold: float, quick: bool) -> bool:
        """Returns whether something came."""
        session, named = self.host.session, self._connection
        poll: Frame = {"type": "poll", "ack": self._ack, "hold_ms": int(hold * 1000)}
        if named is not None:
            poll["connection"] = named
        views = self._asked = self.views if named is not None else Views()
        batch = [session.hello(None), poll, *session.wanted(views, self.host.now())]
        if len(write_batch(batch).encode("utf-8")) > session.limits.get("batch_bytes", MAX_BATCH_BYTES):
            raise RequestFailed("more subscriptions than polling can carry")
        longest = self.host.own(10) if self.welcome is None else hold + self.host.own(3 if quick else 10)
        answer = await self.ask(batch, longest)
        self.received_at = self.host.now()
        frames = answer.frames
        if not frames and not answer.refused:
            # Overtaken by a later poll or a WebSocket, or the connection has ended.
            return False
        if not frames or frames[0]["type"] != "polled":
            return self._without_polled(answer)
        self._accept(frames, named, views)
        self.host.batch(self, answer)
        return len(frames) > 1

    def _without_polled(self, answer: Batch) -> bool:
        """An answer about the whole request (table 3.2)."""
        self.host.batch(self, answer)
        error: Frame = answer.frames[0] if answer.frames else {"type": "error", "code": "none that can be read"}
        if error["type"] == "error" and error["code"] == "invalid_frame" and error.get("re") == "poll":
            self._begin_anew()
            return True
        raise RequestFailed(f"refused: {error.get('code')}", 200)

    def _accept(self, frames: list[Frame], named: Optional[str], views: Views) -> None:
        """Takes the number of a response. One that was read before, or belongs to another connection, is not taken."""
        seq, of = frames[0]["seq"], frames[0].get("connection", named)
        welcome = next((frame for frame in frames if frame["type"] == "welcome"), None)
        if welcome is None or welcome["connection"] in (named, self._connection):
            if named is None or named != self._connection or of != named or seq != self._ack + 1:
                raise RequestFailed("a response of another connection, or an old one", 200)
            self._others, self._spread = [], False
        else:
            if named is not None:
                now = self.host.now()
                self._others = [at for at in self._others if now - at < self.host.own(25)] + [now]
                self._spread = len(self._others) > 1
            self._connection, self.views = welcome["connection"], views
            self._left.clear()
            views.anew()
        self._ack = seq

    def _begin_anew(self) -> None:
        self._connection, self._ack = None, 0

    def _next_in(self, came: bool, hold: float, started: float) -> float:
        """The time until the next poll (table 3.4)."""
        since = self.host.now() - started
        if self._spread:
            return self.host.own(random.uniform(7, 9))
        if came and self.welcome is not None and self.welcome["hold_ms"] > 0:
            return 0.0
        return self.host.own(5) if hold == 0 else max(0.0, self.host.own(7.5) - since)
