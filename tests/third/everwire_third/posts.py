"""The requests of polling that send (section 3.4): one at a time, smaller ones after a failure, and what never passes."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Optional

from .frames import Frame, split

if TYPE_CHECKING:
    from .links import End, Host
    from .polling import PollLink

PATH = "/everwire/v1/poll"

_MOST_FRAMES = 100
# So often a message or request has to fail alone, while others pass, until it counts as blocked (table 3.1).
_BLOCKED_BY_STATUS, _BLOCKED_WITHOUT = 2, 8
_PASSING = (401, 407, 408, 425, 429, 511)


class RequestFailed(Exception):
    """A request without a batch in return, with the status if there was one."""

    def __init__(self, reason: str, status: Optional[int] = None) -> None:
        super().__init__(reason)
        self.status = status


class Posts:
    def __init__(self, host: Host, link: PollLink) -> None:
        self._host, self._link = host, link
        self._wake = asyncio.Event()
        # Since when a request is in flight; None also once it was found to be late.
        self._since: Optional[float] = None
        # How many sends and requests the next one has at most; and how often one of them has failed alone.
        self._most = _MOST_FRAMES - 1
        self._alone: dict[str, int] = {}

    def wake(self) -> None:
        self._wake.set()

    def is_late(self, now: float) -> bool:
        """Whether a request has not been answered for too long; only once for each."""
        if self._since is None or now - self._since < self._host.own(10):
            return False
        self._since = None
        return True

    async def run(self) -> End:
        failures = 0
        while True:
            await self._wake.wait()
            frames = [] if self._link.welcome is None else self._next()
            if not frames:
                self._wake.clear()
                continue
            self._since = self._host.now()
            try:
                answer = await self._link.ask([self._host.session.hello(None), *frames], self._host.own(35))
                self._host.batch(self._link, answer)
                self._check(frames, answer.frames)
                failures = 0
                self._most = min(self._most * 2, _MOST_FRAMES - 1)
            except RequestFailed as failed:
                failures += 1
                self._requeue(frames)
                await self._failed(frames, failed)
                longest = 0.5 if failures == 1 else min(20.0, 0.5 * 2.0 ** min(failures, 10))
                await asyncio.sleep(self._host.own(random.uniform(0, longest)))
            finally:
                self._since = None

    def _next(self) -> list[Frame]:
        """The frames of the next request, within its limits; the sends and requests among them are in flight from now on."""
        session, now = self._host.session, self._host.now()
        ephemeral = [frame for until, frame in session.ephemeral if until > now]
        session.ephemeral.clear()
        frames = ephemeral + [pending.frame for pending in session.outbox.waiting(now)[: self._most]]
        if not frames:
            return []
        most_bytes = session.limits["batch_bytes"]
        batches = split([session.hello(None), *frames], first=most_bytes, most_bytes=most_bytes, most=_MOST_FRAMES)
        chosen = batches[0][1:] or frames[:1]
        session.outbox.take(now, len(chosen) - min(len(ephemeral), len(chosen)))
        return chosen

    def _check(self, frames: list[Frame], answers: list[Frame]) -> None:
        """A response that leaves something unanswered is a failure of the whole request."""
        if self._link.failure is not None:
            # It has refused the client or its token: everything stays in the outbox.
            return
        outbox = self._host.session.outbox
        answered = {str(answer.get("id")) for answer in answers}
        left = [frame for frame in frames if frame.get("id") in {*outbox.sends, *outbox.requests} - answered]
        if not left:
            return
        refusal = next((answer for answer in answers if answer["type"] == "error" and "id" not in answer), None)
        if refusal and len(frames) == 1 and not refusal["retry"]:
            self._give_up(frames[0], refusal["code"])
        raise RequestFailed("something was left unanswered", 200)

    def _requeue(self, frames: list[Frame]) -> None:
        outbox = self._host.session.outbox
        for frame in frames:
            identity = str(frame.get("id"))
            pending = outbox.sends.get(identity) or outbox.requests.get(identity)
            if pending:
                pending.sent_at = None

    async def _failed(self, frames: list[Frame], failed: RequestFailed) -> None:
        """After a failure one at a time, so that one that never passes does not hold up the others."""
        self._most = 1
        self._wake.set()
        if len(frames) > 1 or failed.status in _PASSING:
            return
        try:
            await self._link.ask([self._host.session.hello(None)], self._host.own(10))
        except RequestFailed:
            return
        identity = str(frames[0].get("id"))
        self._alone[identity] = self._alone.get(identity, 0) + 1
        by_status = failed.status is not None and failed.status < 500
        if self._alone[identity] >= (_BLOCKED_BY_STATUS if by_status else _BLOCKED_WITHOUT):
            self._give_up(frames[0], "blocked")

    def _give_up(self, frame: Frame, code: str) -> None:
        outbox, identity = self._host.session.outbox, str(frame.get("id"))
        pending = outbox.sends.pop(identity, None) or outbox.requests.pop(identity, None)
        if pending:
            self._host.session.failed(code, pending)
