"""Where the time of a `dagger call` goes: a receiver of its OpenTelemetry spans (OTLP over HTTP), and what they say."""

from __future__ import annotations

import gzip
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.steps import STEPS

_WORK = re.compile(r"(build|test|publish|roll out) ")
"""The module's spans in which a builder, a registry or the kubelet is at work, and the module waits."""
_START = re.compile(r"(asModule getModDef|Query\.planeraCi|PlaneraCi\.\w+)$")


@dataclass(frozen=True)
class Span:
    """A piece of work: its name, and when it began and ended, in seconds since the epoch."""

    name: str
    begun: float
    ended: float

    @property
    def seconds(self) -> float:
        return self.ended - self.begun


@dataclass
class Spans:
    """What has been received; a span that is told again when it ends counts once."""

    endpoint: str = ""
    _known: dict[bytes, Span] = field(default_factory=dict)

    def take(self, body: bytes) -> None:
        """Take over one request's spans, those that have ended."""
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    if span.end_time_unix_nano:
                        begun, ended = span.start_time_unix_nano / 1e9, span.end_time_unix_nano / 1e9
                        self._known[span.span_id] = Span(span.name, begun, ended)

    def all(self) -> tuple[Span, ...]:
        return tuple(self._known.values())


@contextmanager
def received() -> Iterator[Spans]:
    """Receive spans at an address of this machine while the block runs."""
    spans = Spans()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            if self.path.endswith("/traces"):
                spans.take(body)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the server's own name for it
            """Say nothing: one line for each request would hide the table."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    spans.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield spans
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def work(spans: Iterable[Span]) -> float:
    """Return the seconds in which a build, a test, a push or the kubelet was at work; side by side counts once."""
    return union((span.begun, span.ended) for span in spans if _WORK.match(span.name))


def union(intervals: Iterable[tuple[float, float]]) -> float:
    """Return how much time a set of intervals covers."""
    total, reached = 0.0, float("-inf")
    for begun, ended in sorted(intervals):
        total += max(0.0, ended - max(begun, reached))
        reached = max(reached, ended)
    return total


def parts(spans: Iterable[Span]) -> dict[str, float]:
    """Return the seconds of what a call consists of: the module's starts, and its own steps."""
    found: dict[str, float] = {}
    for span in sorted(spans, key=lambda span: span.begun):
        if _START.match(span.name) or _WORK.match(span.name) or span.name in STEPS:
            found[span.name] = round(found.get(span.name, 0.0) + span.seconds, 2)
    return found
