"""One client instance across its connections: subscriptions with their positions, the outbox, and what each frame of the
server does to them. It performs no input or output."""

from __future__ import annotations

import time
import uuid
from typing import Any, Callable, Iterator, Optional

from . import NAME
from . import strict_json
from .frames import MAX_BATCH_BYTES, MAX_BATCH_FRAMES, UNREADABLE, Frame, Refused, outgoing
from .outbox import MOST_SENDS, Outbox, Pending, uuid7
from .positions import Position, Subscription, View

Emit = Callable[..., None]

# The answers to requests.
ANSWERS = ("members", "receipts", "statuses", "chats", "chat_members", "done", "history_page")


class Violation(Exception):
    """The server has broken the protocol: the connection is replaced."""


class Views:
    """What one connection has been told about the session's channels."""

    def __init__(self) -> None:
        self.run = ""
        self.of: dict[str, View] = {}
        # Channels with an `unsubscribe` that has not been confirmed.
        self.leaving: set[str] = set()

    def anew(self) -> None:
        """A polling connection has begun anew: nothing is live."""
        for view in self.of.values():
            view.live = False


class Session:
    def __init__(self, emit: Emit, session: Optional[str], guest: Optional[Frame], ask_again_s: float) -> None:
        self.id = session or str(uuid.uuid4())
        self.subscriptions: dict[str, Subscription] = {}
        self.outbox = Outbox()
        # Ephemeral frames that wait for an open connection, each with the time after which it is dropped.
        self.ephemeral: list[tuple[float, Frame]] = []
        # `limits` of the last `welcome`.
        self.limits: Frame = {"batch_bytes": MAX_BATCH_BYTES, "batch_frames": MAX_BATCH_FRAMES}
        self._emit = emit
        self._guest = guest
        self._ask_again_s = ask_again_s

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
        if len(self.subscriptions) >= self.limits.get("subscriptions", len(self.subscriptions) + 1):
            raise Refused("too_many_subscriptions", "unsubscribe from a channel first")
        self.subscriptions.setdefault(channel, Subscription(channel, options, position))

    def send(self, frame: Frame, ref: Optional[str], identity: Optional[str] = None) -> None:
        """Checks a message, and only then makes an id for it."""
        made = identity or uuid7(int(time.time() * 1000))
        checked = outgoing({**frame, "type": "send", "id": made})
        self._check_limits(checked["data"])
        if len(self.outbox.sends) >= MOST_SENDS:
            raise Refused("queue_full", f"{MOST_SENDS} messages are not acknowledged")
        self.outbox.sends.setdefault(made, Pending(checked, ref))
        self._emit("sending", id=made, ref=ref)

    def request(self, frame: Frame, ref: Optional[str], deadline: float) -> None:
        made = uuid7(int(time.time() * 1000))
        self.outbox.requests[made] = Pending(outgoing({"id": made, **frame}), ref, deadline=deadline)

    def _check_limits(self, data: Any) -> None:
        text = data.get("text") if isinstance(data, dict) else data
        size = len(strict_json.write(data).encode("utf-8"))
        characters = len(text) if isinstance(text, str) else 0
        if size > self.limits.get("payload_bytes", size) or characters > self.limits.get("text_characters", characters):
            raise Refused("too_large", f"{size} bytes, {characters} characters")

    def fail_all(self, code: str) -> None:
        for pending in [*self.outbox.sends.values(), *self.outbox.requests.values()]:
            self.failed(code, pending)
        self.outbox = Outbox()

    def failed(self, code: str, pending: Pending, message: Optional[str] = None) -> None:
        self._emit("failed", id=pending.frame["id"], ref=pending.ref, code=code, message=message)

    def blame(self, code: str, ids: Optional[list[str]] = None) -> bool:
        """What was sent by WebSocket was refused as a whole. Returns whether a send may be to blame."""
        suspected, culprit = self.outbox.blame(ids)
        if culprit:
            self.failed(code, culprit)
        return suspected

    # To the server.

    def begin(self, limits: Frame) -> None:
        """A connection has been welcomed."""
        self.limits = limits
        self.outbox.begin()

    def lost(self) -> None:
        """The connection has ended: the next one is asked for everything."""
        for subscription in self.subscriptions.values():
            subscription.retry_at = None

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
            view, waiting = views.of.get(channel), subscription.retry_at
            unasked = view is None or (view.ask_at is not None and view.ask_at <= now)
            if (unasked if waiting is None else waiting <= now) and channel not in views.leaving:
                yield subscription

    def _frame(self, views: Views, subscription: Subscription) -> Frame:
        subscription.retry_at = None
        return subscription.frame(views.of.setdefault(subscription.channel, View()))

    # From the server.

    def receive(self, views: Views, frame: Frame, now: float) -> list[Frame]:
        """Applies a frame of the present connection. Returns the frames that answer it."""
        kind, identity = frame["type"], frame.get("id")
        if kind == "subscribed":
            return self._subscribed(views, frame, now)
        if kind in ("message", UNREADABLE):
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
        elif kind in ANSWERS:
            pending = self.outbox.requests.pop(str(identity), None)
            if pending:
                self._emit("answered", id=identity, ref=pending.ref, frame=frame)
        elif kind not in ("pong", "welcome", "polled", "goaway"):
            self._state(views, frame)
        return []

    def _subscribed(self, views: Views, frame: Frame, now: float) -> list[Frame]:
        channel = frame["channel"]
        subscription, view = self.subscriptions.get(channel), views.of.get(channel)
        if subscription is None or view is None or channel in views.leaving:
            return []
        gap = subscription.subscribed(view, frame, views.run)
        position = subscription.position
        if not view.live:
            # The answer is about another position than the present one.
            if view.asked != position:
                return [subscription.frame(view)]
            view.ask_at = now + self._ask_again_s
            return []
        if gap:
            self._emit("gap", channel=channel, **gap)
        place = {"epoch": position.epoch, "offset": position.offset, "run": position.run} if position else {}
        self._emit("subscribed", channel=channel, **place, head=frame["head"], frame=frame)
        return []

    def _message(self, views: Views, frame: Frame) -> None:
        channel = frame["channel"]
        subscription, view = self.subscriptions.get(channel), views.of.get(channel)
        if subscription is None or view is None or channel in views.leaving:
            return
        verdict = subscription.entry(view, frame["offset"])
        if verdict == "violation":
            raise Violation(f"entry {frame['offset']} of {channel} after {subscription.position}")
        if verdict == "delivered" and frame["type"] == UNREADABLE:
            self._emit("invalid", code=frame["code"], message=f"entry {frame['offset']} of {channel}: {frame['reason']}")
        elif verdict == "delivered":
            self._emit("message", message={key: value for key, value in frame.items() if key != "type"})

    def _unsubscribed(self, views: Views, frame: Frame, now: float) -> None:
        channel = frame["channel"]
        if "code" not in frame:
            views.leaving.discard(channel)
            return
        subscription = self.subscriptions.get(channel)
        if subscription is None or channel not in views.of or channel in views.leaving:
            return
        views.of[channel].live = False
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
