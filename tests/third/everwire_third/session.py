"""One client instance across its connections: subscriptions with their positions, the outbox, and what each frame of the
server does to them. It performs no input or output."""

from __future__ import annotations

import time
import uuid
from typing import Any, Callable, Iterator, Optional

from . import NAME
from .frames import Frame, outgoing
from .outbox import Outbox, Pending, uuid7
from .positions import Position, Subscription, View

Emit = Callable[..., None]

# The answers to requests.
_ANSWERS = ("members", "receipts", "statuses", "chats", "chat_members", "done", "history_page")


class Violation(Exception):
    """The server has broken the protocol: the connection is replaced."""


class Views:
    """What one connection has been told about the session's channels."""

    def __init__(self) -> None:
        self.run = ""
        self.of: dict[str, View] = {}
        # Channels with an `unsubscribe` that has not been confirmed.
        self.leaving: set[str] = set()


class Session:
    def __init__(self, emit: Emit, session: Optional[str] = None, guest: Optional[Frame] = None) -> None:
        self.id = session or str(uuid.uuid4())
        self.subscriptions: dict[str, Subscription] = {}
        self.outbox = Outbox()
        # Ephemeral frames that wait for an open connection, each with the time after which it is dropped.
        self.ephemeral: list[tuple[float, Frame]] = []
        self._emit = emit
        self._guest = guest

    # From the application.

    def hello(self, token: Optional[str]) -> Frame:
        frame: Frame = {"type": "hello", "version": 1, "session": self.id}
        if token is not None:
            frame["token"] = token
        if self._guest is not None:
            frame["guest"] = self._guest
        return {**frame, "client": NAME}

    def subscribe(self, command: Frame) -> None:
        """A channel, with `recent` or `undelivered`, or with a position to resume from."""
        outgoing({**command, "type": "subscribe"})
        options: Frame = {key: command[key] for key in ("recent", "undelivered") if key in command}
        position = Position(command["epoch"], command["offset"], command.get("run")) if "epoch" in command else None
        channel = command["channel"]
        self.subscriptions.setdefault(channel, Subscription(channel, options, position))

    def send(self, frame: Frame, ref: Optional[str], identity: Optional[str] = None) -> None:
        """Checks a message, and only then makes an id for it."""
        made = identity or uuid7(int(time.time() * 1000))
        self.outbox.sends.setdefault(made, Pending(outgoing({**frame, "type": "send", "id": made}), ref))
        self._emit("sending", id=made, ref=ref)

    def request(self, frame: Frame, ref: Optional[str], deadline: float) -> None:
        made = uuid7(int(time.time() * 1000))
        self.outbox.requests[made] = Pending(outgoing({"id": made, **frame}), ref, deadline=deadline)

    def fail_all(self, code: str) -> None:
        for pending in [*self.outbox.sends.values(), *self.outbox.requests.values()]:
            self.failed(code, pending)
        self.outbox = Outbox()

    def failed(self, code: str, pending: Pending, message: Optional[str] = None) -> None:
        self._emit("failed", id=pending.frame["id"], ref=pending.ref, code=code, message=message)

    # To the server.

    def wanted(self, views: Views, now: float) -> list[Frame]:
        """The complete set of subscriptions, without those that wait after a temporary refusal."""
        frames = []
        for subscription in self.subscriptions.values():
            if subscription.retry_at is None or subscription.retry_at <= now:
                frames.append(self._frame(views, subscription))
        return frames

    def lacks(self, views: Views, now: float) -> bool:
        """Whether there are subscriptions that a connection has not been asked for, or is to be asked for again."""
        return any(self._missing(views, now))

    def missing(self, views: Views, now: float) -> list[Frame]:
        return [self._frame(views, subscription) for subscription in list(self._missing(views, now))]

    def _missing(self, views: Views, now: float) -> Iterator[Subscription]:
        for channel, subscription in self.subscriptions.items():
            due = subscription.retry_at is not None and subscription.retry_at <= now
            new = channel not in views.of and subscription.retry_at is None
            if (due or new) and channel not in views.leaving:
                yield subscription

    def _frame(self, views: Views, subscription: Subscription) -> Frame:
        subscription.retry_at = None
        return subscription.frame(views.of.setdefault(subscription.channel, View()))

    # From the server.

    def receive(self, views: Views, frame: Frame, now: float) -> list[Frame]:
        """Applies a frame of the present connection. Returns the frames that answer it."""
        kind, identity = frame["type"], frame.get("id")
        if kind == "subscribed":
            return self._subscribed(views, frame)
        if kind == "message":
            self._message(views, frame)
        elif kind == "unsubscribed":
            self._unsubscribed(views, frame, now)
        elif kind == "ack":
            pending = self.outbox.sends.pop(frame["id"], None)
            if pending:
                rest = {key: frame[key] for key in ("channel", "offset", "at")}
                self._emit("acked", id=frame["id"], ref=pending.ref, **rest)
        elif kind == "error":
            self._error(frame, now)
        elif kind == "ping":
            return [{**frame, "type": "pong"}]
        elif kind in _ANSWERS:
            pending = self.outbox.requests.pop(str(identity), None)
            if pending:
                self._emit("answered", id=identity, ref=pending.ref, frame=frame)
        elif kind not in ("pong", "welcome", "polled", "goaway"):
            self._state(views, frame)
        return []

    def _subscribed(self, views: Views, frame: Frame) -> list[Frame]:
        channel = frame["channel"]
        subscription, view = self.subscriptions.get(channel), views.of.get(channel)
        if subscription is None or view is None or channel in views.leaving:
            return []
        outcome = subscription.subscribed(view, frame, views.run)
        if outcome.violation:
            raise Violation(f"subscribed to {channel} at another position, without a gap")
        if outcome.again:
            return [subscription.frame(view)]
        if outcome.gap:
            self._emit("gap", channel=channel, **outcome.gap)
        position = subscription.position
        place = {"epoch": position.epoch, "offset": position.offset, "run": position.run} if position else {}
        self._emit("subscribed", channel=channel, **place, head=frame["head"], frame=frame)
        return []

    def _message(self, views: Views, frame: Frame) -> None:
        channel = frame["channel"]
        subscription, view = self.subscriptions.get(channel), views.of.get(channel)
        if subscription is None or view is None or channel in views.leaving:
            return
        verdict = subscription.entry(view, frame["offset"], views.run)
        if verdict == "violation":
            raise Violation(f"entry {frame['offset']} of {channel} after {subscription.position}")
        if verdict == "delivered":
            self._emit("message", message={key: value for key, value in frame.items() if key != "type"})

    def _unsubscribed(self, views: Views, frame: Frame, now: float) -> None:
        channel = frame["channel"]
        if "code" not in frame:
            views.leaving.discard(channel)
            return
        subscription = self.subscriptions.get(channel)
        if subscription is None or channel not in views.of or channel in views.leaving:
            return
        views.of[channel] = View()
        if "retry_after_ms" in frame:
            subscription.retry_at = now + frame["retry_after_ms"] / 1000
            return
        del self.subscriptions[channel], views.of[channel]
        self._emit("unsubscribed", channel=channel, code=frame["code"], message=frame.get("message"))

    def _error(self, frame: Frame, now: float) -> None:
        if "id" not in frame:
            self._emit("error", error={key: value for key, value in frame.items() if key != "type"})
            return
        pending = self.outbox.refused(frame, now)
        if pending:
            self.failed(frame["code"], pending, frame["message"])

    def _state(self, views: Views, frame: Frame) -> None:
        channel: Any = frame.get("channel")
        if channel is None or (channel in views.of and channel not in views.leaving):
            self._emit("frame", frame=frame)
