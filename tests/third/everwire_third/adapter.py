"""The adapter (README.md): commands as lines of JSON on standard input, events as lines of JSON on standard output."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from typing import Any, Callable, Optional

from . import NAME
from .client import Client, Options
from .frames import Refused

_TRANSPORTS = ("websocket", "polling")
_FEATURES = ("speed", "position", "id", "request", "ephemeral", "ask_token", "session", "cancel", "status")
_OPTIONS = [each.name for each in dataclasses.fields(Options)]
_REQUEST_TIMEOUT_MS = 30_000
_EPHEMERAL = ("typing", "signal", "mark", "idle")
_SEND_FIELDS = ("channel", "data", "event", "action", "target")


class _Invalid(Exception):
    """A command that is not in the format."""


def emit(event: str, **fields: object) -> None:
    given = {key: value for key, value in fields.items() if value is not None}
    sys.stdout.write(json.dumps({"event": event, **given}, separators=(",", ":")) + "\n")
    sys.stdout.flush()


class Adapter:
    def __init__(self) -> None:
        self._client: Optional[Client] = None
        self._commands: dict[str, Callable[[dict[str, Any]], None]] = {
            "connect": self._connect,
            "subscribe": lambda command: self._connected().subscribe(_without(command, "command", "ref")),
            "unsubscribe": lambda command: self._connected().unsubscribe(command["channel"]),
            "send": self._send,
            "cancel": lambda command: self._connected().cancel(command["ref"]),
            "request": self._request,
            "ephemeral": self._ephemeral,
            "token": lambda command: self._connected().set_token(command["token"]),
            "status": self._status,
        }

    async def run(self) -> int:
        emit("ready", client=NAME, versions=[1], transports=_TRANSPORTS, features=_FEATURES)
        reader = asyncio.StreamReader(limit=1024 * 1024)
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while True:
            line = await reader.readline()
            # Without a `close` it ends like a process that is killed.
            if not line:
                return 0
            if await self._line(line):
                return 0

    async def _line(self, line: bytes) -> bool:
        """Carries out a command. Returns whether it was the last one."""
        ref = None
        try:
            command = json.loads(line)
            if not isinstance(command, dict):
                raise _Invalid("not an object")
            name, ref = command["command"], command.get("ref")
            if name == "close":
                if self._client:
                    await self._client.close()
                emit("exit")
                return True
            if name not in self._commands:
                emit("unsupported", ref=ref, command=name)
                return False
            self._commands[name](command)
        except Refused as refused:
            emit("failed", ref=ref, code=refused.code, message=str(refused))
        except (ValueError, KeyError, TypeError, _Invalid) as error:
            emit("invalid_command", ref=ref, message=f"{type(error).__name__}: {error}")
        return False

    def _connected(self) -> Client:
        if self._client is None:
            raise _Invalid("connect comes first")
        return self._client

    def _connect(self, command: dict[str, Any]) -> None:
        if self._client is not None:
            raise _Invalid("connected already")
        options = {name: command[name] for name in _OPTIONS if name in command}
        transports = tuple(options.pop("transports", _TRANSPORTS))
        if not transports or any(transport not in _TRANSPORTS for transport in transports):
            raise _Invalid("unknown transports")
        self._client = Client(Options(transports=transports, **options), emit)

    def _send(self, command: dict[str, Any]) -> None:
        frame = {key: command[key] for key in _SEND_FIELDS if key in command}
        self._connected().send(frame, command.get("ref"), command.get("id"))

    def _request(self, command: dict[str, Any]) -> None:
        timeout = command.get("timeout_ms", _REQUEST_TIMEOUT_MS)
        self._connected().request(command["frame"], command.get("ref"), timeout)

    def _ephemeral(self, command: dict[str, Any]) -> None:
        if command["frame"]["type"] not in _EPHEMERAL:
            raise _Invalid(f"none of {', '.join(_EPHEMERAL)}")
        self._connected().ephemeral(command["frame"])

    def _status(self, command: dict[str, Any]) -> None:
        client = self._connected()
        positions = {
            channel: {"epoch": at.epoch, "offset": at.offset, "run": at.run}
            for channel, at in ((channel, each.position) for channel, each in client.session.subscriptions.items())
            if at is not None
        }
        pending = [*client.session.outbox.sends]
        emit("status", ref=command.get("ref"), session=client.session.id, positions=positions, pending=pending)


def _without(command: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in command.items() if key not in names}


def main() -> int:
    return asyncio.run(Adapter().run())
