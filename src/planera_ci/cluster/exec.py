"""Run a program in a pod and stream bytes to it or from it, in memory that does not grow with them.

The protocol is Kubernetes' own (v4.channel.k8s.io): each message begins with the number of its channel.
Nothing says that a tunnel's other end is gone, so a connection that is silent is asked for a sign of life.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode

import anyio
import anyio.to_thread
from websocket import (
    ABNF,
    WebSocket,
    WebSocketBadStatusException,
    WebSocketException,
    WebSocketTimeoutException,
)

from planera_ci.cluster.client import Cluster
from planera_ci.cluster.connection import cause_of, refusal
from planera_ci.cluster.lean import ApiException, create_websocket
from planera_ci.domain.manifests import Key
from planera_ci.errors import Unreachable

_STDIN, _STDOUT, _STDERR, _STATUS = 0, 1, 2, 3
_CHUNK = 256 * 1024
_PULSE = 5.0
"""Seconds of silence after which the other end is asked whether it lives."""
_DEAD = 30.0
_CONNECT = 20.0
_MOST_TEXT = 1024 * 1024
"""Bytes that are kept of what a program prints where nobody takes them; the end counts."""


class Sink(Protocol):
    """Takes what a program prints."""

    def write(self, data: bytes, /) -> object:
        """Take some of it."""


@dataclass(frozen=True)
class Ran:
    """How a program ended, and what it printed."""

    code: int
    out: str = ""
    err: str = ""


@dataclass
class Kept:
    """Keeps the end of what is written."""

    data: bytearray = field(default_factory=bytearray)

    def write(self, data: bytes, /) -> None:
        """Take some more, and let go of the beginning where it is too much."""
        self.data += data
        if len(self.data) > 2 * _MOST_TEXT:
            del self.data[:-_MOST_TEXT]

    def text(self) -> str:
        """Return what is kept."""
        return self.data.decode(errors="replace")


async def run(
    cluster: Cluster,
    pod: Key,
    container: str,
    command: tuple[str, ...],
    *,
    given: Iterator[bytes] | None = None,
    sink: Sink | None = None,
) -> Ran:
    """Run a program in a container; `given` is written to it, and what it prints goes to the sink.

    The program has to know where what is given ends: this protocol cannot say so.
    """
    if cluster.fence is not None:
        await cluster.fence()
    act = f"run {command[0]} in {pod}"
    query = [("container", container), ("stdout", "true"), ("stderr", "true")]
    query += [("stdin", "true")] if given is not None else []
    query += [("command", word) for word in command]
    url = f"{cluster.api.configuration.host}{await cluster.path(pod)}/exec?{urlencode(query)}"
    opened: list[WebSocket] = []

    def work() -> Ran:
        try:
            opened.append(_open(cluster, url))
            return _talk(opened[0], act, given, sink)
        except WebSocketBadStatusException as error:
            raise refusal(_answer(error), act, cluster.server) from error
        except (WebSocketException, OSError) as error:
            raise Unreachable(act, f"the connection to {cluster.server} dropped ({cause_of(error)})") from error
        finally:
            _close(opened)

    try:
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
    finally:
        _close(opened)  # where this task is cancelled, the thread ends with its connection


def _open(cluster: Cluster, url: str) -> WebSocket:
    headers: dict[str, Any] = {}
    cluster.api.update_params_for_auth(headers, [], ["BearerToken"])
    socket: WebSocket = create_websocket(
        cluster.api.configuration,
        "ws" + url.removeprefix("http"),
        {name.lower(): value for name, value in headers.items()},
    )
    socket.settimeout(_PULSE)
    return socket


def _close(opened: list[WebSocket]) -> None:
    for socket in opened:
        with suppress(WebSocketException, OSError):
            socket.shutdown()  # type: ignore[no-untyped-call]


def _answer(error: WebSocketBadStatusException) -> ApiException:
    text = (error.resp_body or b"").decode(errors="replace")
    refused = ApiException(status=error.status_code, reason=text.strip())
    refused.body = text
    return refused


def _talk(socket: WebSocket, act: str, given: Iterator[bytes] | None, sink: Sink | None) -> Ran:
    printed, told = Kept(), Kept()
    for chunk in given or ():
        socket.settimeout(_DEAD)
        socket.send_binary(bytes((_STDIN,)) + chunk)
    socket.settimeout(_PULSE)
    for channel, data in _messages(socket):
        if channel == _STDOUT:
            (sink or printed).write(data)
        elif channel == _STDERR:
            told.write(data)
        elif channel == _STATUS:
            return Ran(code_of(json.loads(data), act), printed.text(), told.text())
    raise Unreachable(act, "the connection ended before the program did")


def _messages(socket: WebSocket) -> Iterator[tuple[int, bytes]]:
    """Yield messages by their channels until the other end closes; raise where it shows no sign of life."""
    silent = 0.0
    while True:
        try:
            opcode, frame = socket.recv_data_frame(True)
        except WebSocketTimeoutException:
            silent += _PULSE
            if silent >= _DEAD:
                raise
            socket.ping()
            continue
        silent = 0.0
        if opcode == ABNF.OPCODE_CLOSE:
            return
        if opcode in (ABNF.OPCODE_BINARY, ABNF.OPCODE_TEXT) and frame.data:
            data = bytes(frame.data)
            yield data[0], data[1:]


def code_of(status: dict[str, Any], act: str) -> int:
    """Return the exit code from the status that ends every run."""
    if status.get("status") == "Success":
        return 0
    causes = (status.get("details") or {}).get("causes") or ()
    code = next((cause.get("message", "") for cause in causes if cause.get("reason") == "ExitCode"), "")
    if code.isdigit():
        return int(code)
    raise Unreachable(act, str(status.get("message", "no status")))
