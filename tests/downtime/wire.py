"""HTTP/1.1 on one connection, as much as the load needs; nothing is tried twice, so that nothing is hidden."""

from __future__ import annotations

import asyncio
import json
import ssl
from dataclasses import dataclass
from typing import Any, Self

_LONGEST_HEAD = 64 * 1024


class Broken(Exception):
    """The connection or the answer was not what HTTP promises; the text says how."""


@dataclass(frozen=True)
class Edge:
    """Where the requests go: one address for every host."""

    address: str
    port: int
    context: ssl.SSLContext | None = None


@dataclass(frozen=True)
class Answer:
    """One answer, read to its end."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    last: bool
    """The connection cannot be used again."""

    def all(self, name: str) -> list[str]:
        """Return the values of a header that may come more than once."""
        return [value for key, value in self.headers if key == name]

    def header(self, name: str) -> str:
        """Return the value of a header, or nothing."""
        return next(iter(self.all(name)), "")

    def json(self) -> Any:
        """Return the body as JSON; a body that is none is None."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Wire:
    """One connection, for one request after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def opened(cls, edge: Edge, host: str) -> Self:
        """Connect, and shake hands for a host where there is TLS."""
        named = {"ssl": edge.context, "server_hostname": host} if edge.context else {}
        return cls(*await asyncio.open_connection(edge.address, edge.port, limit=_LONGEST_HEAD, **named))

    @property
    def usable(self) -> bool:
        """Whether the other end has not yet said that it is over."""
        return not (self._reader.at_eof() or self._writer.is_closing())

    async def ask(self, method: str, host: str, path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        """Send one request and read its answer."""
        lines = {"Host": host, **headers, **({"Content-Length": str(len(body))} if body else {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        await self._writer.drain()
        try:
            return await self._answer()
        except asyncio.IncompleteReadError as error:
            where = "within the answer" if error.partial else "before an answer"
            raise Broken(f"connection ended {where}") from error
        except (asyncio.LimitOverrunError, ValueError) as error:
            raise Broken(f"not HTTP: {error}") from error

    def close(self) -> None:
        """End the connection."""
        self._writer.close()

    async def _answer(self) -> Answer:
        first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        protocol, status, *_ = first.split(" ", 2)
        if protocol != "HTTP/1.1":
            raise ValueError(first[:80])
        pairs = (line.partition(":") for line in lines if line)
        headers = tuple((name.lower(), value.strip()) for name, _, value in pairs)
        known = dict(headers)
        last = known.get("connection", "").lower() == "close"
        if known.get("transfer-encoding", "").lower() == "chunked":
            body = await self._chunks()
        elif "content-length" in known:
            body = await self._reader.readexactly(int(known["content-length"]))
        elif int(status) in {204, 304}:
            body = b""
        else:
            body, last = await self._reader.read(), True
        return Answer(int(status), headers, body, last)

    async def _chunks(self) -> bytes:
        found = b""
        while size := int((await self._reader.readuntil(b"\r\n")).split(b";")[0], 16):
            found += (await self._reader.readexactly(size + 2))[:-2]
        while await self._reader.readuntil(b"\r\n") != b"\r\n":
            pass
        return found
