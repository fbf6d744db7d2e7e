"""What is told of a call's time is told right: what runs side by side counts once, and nothing is lost on the way."""

from __future__ import annotations

import gzip
import urllib.request

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent

from tests.bench.spans import Span, parts, received, union, work


@pytest.mark.parametrize(
    ("intervals", "total"),
    [
        ([], 0),
        ([(1, 3)], 2),
        ([(1, 3), (2, 4)], 3),
        ([(1, 9), (2, 4)], 8),
        ([(5, 6), (1, 3)], 3),
        ([(1, 3), (3, 4)], 3),
    ],
    ids=["none", "one", "overlapping", "one within another", "apart, the later one first", "one after the other"],
)
def test_time_is_counted_once(intervals: list[tuple[float, float]], total: float) -> None:
    """Two builds side by side take as long as the longer one."""
    assert union(intervals) == total


def test_work_is_what_others_do() -> None:
    """Builds, tests, pushes and rollouts count, whatever is between them and the smoke test do not."""
    spans = [
        Span("build", 0, 9),
        Span("build backend", 1, 4),
        Span("test backend", 2, 5),
        Span("smoke", 5, 7),
        Span("publish backend", 7, 8),
        Span("roll out backend, frontend", 9, 12),
    ]
    assert work(spans) == 8
    assert parts(spans)["smoke"] == 2


def _request(*spans: Sent) -> bytes:
    scope = ScopeSpans(spans=spans)
    return ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[scope])]).SerializeToString()


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_spans_are_received_when_they_end(packed: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    """A span is told when it begins and when it ends; only the second tells how long it took."""
    begun = Sent(span_id=b"12345678", name="smoke", start_time_unix_nano=1_000_000_000)
    ended = Sent(
        span_id=b"12345678", name="smoke", start_time_unix_nano=1_000_000_000, end_time_unix_nano=3_500_000_000
    )
    with received() as spans:
        for each in (begun, ended):
            body = _request(each)
            request = urllib.request.Request(f"{spans.endpoint}/v1/traces", gzip.compress(body) if packed else body)
            if packed:
                request.add_header("Content-Encoding", "gzip")
            with urllib.request.urlopen(request, timeout=5) as answer:
                assert answer.status == 200
        assert spans.all() == (Span("smoke", 1.0, 3.5),)
