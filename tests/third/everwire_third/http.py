"""As much of HTTP/1.1 as a client needs: one request on one connection, which ends with it, and the head of a response."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import Optional
from urllib.parse import urlsplit

_MAX_LINE = 16 * 1024
_MAX_BODY = 1024 * 1024


class HttpFailed(Exception):
    """There is no complete response."""


@dataclass(frozen=True)
class Address:
    """Where a server is: `http://host:port` without a path."""

    host: str
    port: int
    secure: bool

    @staticmethod
    def of(url: str) -> Address:
        parts = urlsplit(url)
        secure = parts.scheme in ("https", "wss")
        return Address(parts.hostname or "", parts.port or (443 if secure else 80), secure)

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass
class Head:
    status: int
    headers: dict[str, str]


async def connect(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    context: Optional[ssl.SSLContext] = ssl.create_default_context() if address.secure else None
    return await asyncio.open_connection(address.host, address.port, ssl=context, limit=_MAX_LINE)


async def read_head(reader: asyncio.StreamReader) -> Head:
    """The status and the headers of a response, by their names in lower case."""
    words = (await _line(reader)).split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
        raise HttpFailed("not a response of HTTP/1.1")
    headers: dict[str, str] = {}
    while True:
        line = await _line(reader)
        if not line:
            return Head(int(words[1]), headers)
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()


async def post(address: Address, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
    """Posts a body, and returns the status and the body of the response. To cancel it closes the connection."""
    writer: Optional[asyncio.StreamWriter] = None
    try:
        reader, writer = await connect(address)
        lines = [f"POST {path} HTTP/1.1", f"Host: {address.authority}", "Connection: close"]
        lines += [f"Content-Length: {len(body)}"] + [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(lines + ["", ""]).encode("latin-1") + body)
        head = await read_head(reader)
        return head.status, await _body(reader, head)
    except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
        raise HttpFailed(f"{type(error).__name__}: {error}") from None
    finally:
        if writer:
            writer.transport.abort()


async def _line(reader: asyncio.StreamReader) -> str:
    return (await reader.readuntil(b"\n")).decode("latin-1").rstrip("\r\n")


async def _body(reader: asyncio.StreamReader, head: Head) -> bytes:
    if head.headers.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while True:
            size = int((await _line(reader)).partition(";")[0], 16)
            if len(body) + size > _MAX_BODY:
                raise HttpFailed("the response is too large")
            body += await reader.readexactly(size)
            await _line(reader)
            if size == 0:
                return body
    if "content-length" in head.headers:
        size = int(head.headers["content-length"])
        if not 0 <= size <= _MAX_BODY:
            raise HttpFailed("the response is too large")
        return await reader.readexactly(size)
    return await reader.read(_MAX_BODY)
