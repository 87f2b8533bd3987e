"""RFC 6455 as a client needs it: the handshake, masked frames, fragments, pings of the lower level, and the close."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import os
import struct
from typing import Optional

from . import http

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MAX_MESSAGE = 256 * 1024
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10


class NeverOpened(Exception):
    """The handshake failed."""


class Closed(Exception):
    """The connection is over, with the close code if there was one."""

    def __init__(self, code: Optional[int], reason: str = "") -> None:
        super().__init__(reason or f"closed with {code}")
        self.code = code


class WebSocket:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @staticmethod
    async def open(url: str, path: str, subprotocol: str) -> WebSocket:
        address = http.Address.of(url)
        key = base64.b64encode(os.urandom(16)).decode("ascii")
        writer: Optional[asyncio.StreamWriter] = None
        try:
            reader, writer = await http.connect(address)
            lines = [
                f"GET {path} HTTP/1.1",
                f"Host: {address.authority}",
                "Upgrade: websocket",
                "Connection: Upgrade",
                f"Sec-WebSocket-Key: {key}",
                "Sec-WebSocket-Version: 13",
                f"Sec-WebSocket-Protocol: {subprotocol}",
            ]
            writer.write("\r\n".join(lines + ["", ""]).encode("latin-1"))
            head = await http.read_head(reader)
            _check(head, key, subprotocol)
            opened = WebSocket(reader, writer)
            writer = None
            return opened
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError, http.HttpFailed) as error:
            raise NeverOpened(f"{type(error).__name__}: {error}") from None
        finally:
            if writer:
                writer.transport.abort()

    def send(self, text: str) -> None:
        self._send(_TEXT, text.encode("utf-8"))

    async def receive(self) -> bytes:
        """The next text message. Raises Closed at the end."""
        whole, first = b"", 0
        while True:
            try:
                final, kind, payload = await self._frame()
            except (OSError, EOFError) as error:
                raise Closed(None, f"{type(error).__name__}: {error}") from None
            if kind == _PING:
                self._send(_PONG, payload)
            elif kind == _CLOSE:
                self._send(_CLOSE, payload[:2])
                code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 1005
                raise Closed(code, payload[2:].decode("utf-8", "replace"))
            elif kind != _PONG:
                if (kind == 0) != (first != 0) or kind == _BINARY or len(whole) + len(payload) > _MAX_MESSAGE:
                    raise Closed(None, "not a text message")
                first = first or kind
                whole += payload
                if final:
                    return whole

    async def close(self, code: int) -> None:
        """Sends the close, and waits until everything is written."""
        self._send(_CLOSE, struct.pack("!H", code))
        with contextlib.suppress(OSError):
            self._writer.close()
            await self._writer.wait_closed()

    def give_up(self, code: int) -> None:
        """Sends the close if that is still possible, and does not wait for anything."""
        self._send(_CLOSE, struct.pack("!H", code))
        self._writer.close()

    async def _frame(self) -> tuple[bool, int, bytes]:
        head = await self._reader.readexactly(2)
        size = head[1] & 0x7F
        if size == 126:
            size = struct.unpack("!H", await self._reader.readexactly(2))[0]
        elif size == 127:
            size = struct.unpack("!Q", await self._reader.readexactly(8))[0]
        if head[1] & 0x80 or head[0] & 0x70 or size > _MAX_MESSAGE:
            raise Closed(None, "a frame that a server must not send")
        return bool(head[0] & 0x80), head[0] & 0x0F, await self._reader.readexactly(size)

    def _send(self, kind: int, payload: bytes) -> None:
        if self._writer.is_closing():
            return
        size = len(payload)
        head = bytes([0x80 | kind])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += bytes([0x80 | 126]) + struct.pack("!H", size)
        else:
            head += bytes([0x80 | 127]) + struct.pack("!Q", size)
        mask = os.urandom(4)
        key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        self._writer.write(head + mask + (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big"))


def _check(head: http.Head, key: str, subprotocol: str) -> None:
    accept = base64.b64encode(hashlib.sha1((key + _MAGIC).encode("ascii")).digest()).decode("ascii")
    if head.status != 101:
        raise ValueError(f"answered with {head.status}")
    if head.headers.get("sec-websocket-accept") != accept:
        raise ValueError("another key was accepted")
    if head.headers.get("sec-websocket-protocol") != subprotocol:
        raise ValueError("the subprotocol was not selected")
