"""The load that proves deployments free of downtime counts what a server of known faults does to it: real sockets."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.downtime import page
from tests.downtime.client import PATIENCE, Client, Request
from tests.downtime.cookies import Jar
from tests.downtime.tally import Tally, quantile
from tests.downtime.traffic import Traffic
from tests.downtime.wire import Edge

Reply = Callable[[str, dict[str, str], asyncio.StreamWriter], Awaitable[bytes | None]]
_PATIENCE = 0.3


def said(status: int, content: str | bytes = b"", *lines: str) -> bytes:
    """Return a whole answer."""
    body = content.encode() if isinstance(content, str) else content
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status} Said", *lines, f"Content-Length: {len(body)}"))
    return f"{head}\r\n".encode() + body


@asynccontextmanager
async def server(reply: Reply) -> AsyncIterator[tuple[Edge, list[str]]]:
    """Serve on a real port; yields where, and the requests as they came in."""
    heard: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                first, *lines = head.strip().split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                await reader.readexactly(int(headers.get("content-length", 0)))
                heard.append(first.rpartition(" ")[0])
                answer = await reply(heard[-1], headers, writer)
                if answer is None:
                    break
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield Edge("127.0.0.1", listening.sockets[0].getsockname()[1]), heard


async def _nothing(_: asyncio.StreamWriter) -> None:
    return None


async def _reset(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def _half(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")


async def _silence(_: asyncio.StreamWriter) -> None:
    await asyncio.wait_for(asyncio.Event().wait(), _PATIENCE * 2)


async def _babble(writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-nothing\r\n\r\n")


FAULTS: dict[str, tuple[Callable[[asyncio.StreamWriter], Awaitable[None]], str]] = {
    "closed": (_nothing, "ended before an answer"),
    "reset": (_reset, ""),
    "truncated": (_half, "ended within the answer"),
    "silent": (_silence, "no answer in"),
    "babble": (_babble, "not HTTP"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("fresh", [True, False], ids=["fresh", "kept"])
async def test_every_third_request_that_is_not_answered_is_counted(fault: str, *, fresh: bool) -> None:
    """Whatever happens to a request counts once, on a fresh connection and on one kept alive."""
    break_it, why = FAULTS[fault]
    numbers = iter(range(100))

    async def reply(_: str, __: dict[str, str], writer: asyncio.StreamWriter) -> bytes | None:
        if next(numbers) % 3 == 2:
            await break_it(writer)
            return None
        return said(200, "fine")

    async with server(reply) as (edge, heard):
        tally = Tally()
        client = Client(edge, tally)
        for number in range(12):
            # on a busy machine a good answer takes its time too: only silence is not waited for
            client.patience = _PATIENCE if fault == "silent" and number % 3 == 2 else PATIENCE
            await client.ask(Request("h", "/", fresh=fresh))
        client.close()
    assert (tally.requests, len(heard), len(tally.failed), len(tally.seconds)) == (12, 12, 4, 12)
    assert all(why in each.why and each.what == "GET h/" and each.at for each in tally.failed)
    assert tally.fresh == (12 if fresh else 4), "a connection is kept until it fails"


@pytest.mark.parametrize("status", [301, 404, 500, 502, 503])
async def test_every_status_but_2xx_is_a_failure(status: int) -> None:
    """A redirect, a missing page and a proxy's error are all failures, with what was said."""

    async def reply(*_: object) -> bytes:
        return said(status, "no server")

    async with server(reply) as (edge, _):
        tally = Tally()
        answer = await Client(edge, tally).ask(Request("h", "/"))
    assert answer
    assert answer.status == status
    assert [each.why for each in tally.failed] == [f"{status}: no server"]


async def test_refused_connections_are_counted() -> None:
    """Nobody listening is a failure as well."""
    async with server(_never) as (edge, _):
        pass
    tally = Tally()
    assert await Client(edge, tally).ask(Request("h", "/")) is None
    assert (tally.requests, len(tally.failed)) == (1, 1)


async def _never(*_: object) -> bytes | None:
    return None


async def test_answers_in_chunks_are_read_to_their_end() -> None:
    """A connection is used again after an answer in chunks, and after one that says when it is over."""
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"

    async def reply(request: str, *_: object) -> bytes:
        return chunks if request == "GET /" else said(200, "x", "Connection: close")

    async with server(reply) as (edge, _):
        tally = Tally()
        client = Client(edge, tally)
        answers = [await client.ask(Request("h", path)) for path in ("/", "/", "/last", "/")]
        client.close()
    assert [answer and answer.body for answer in answers] == [b"abcde", b"abcde", b"x", b"abcde"]
    assert not tally.failed
    assert tally.fresh == 2


async def test_load_does_not_wait_for_answers() -> None:
    """A server that answers late gets as many requests as a quick one, and the lateness shows."""

    async def reply(request: str, *_: object) -> bytes:
        await asyncio.wait([asyncio.ensure_future(asyncio.Event().wait())], timeout=0.5)
        return said(201 if request.startswith("POST") else 200, "{}")

    async with server(reply) as (edge, heard):
        over = asyncio.Event()
        asyncio.get_running_loop().call_later(1.0, over.set)
        found = await Traffic(edge, "h", "a").run(over)
    units = len([each for each in heard if each.split()[1] != "/api/tasks" or each.startswith("GET")])
    # who waited for answers would have begun two; a machine without time to spare is behind with some of 200
    assert 40 <= units <= 200
    assert found["requests"] == len(heard)
    assert found["p50"] >= 0.5
    assert not found["failed"]


async def test_load_has_its_rate_and_counts_all_that_a_bad_server_does() -> None:
    """Every twentieth answer is an error: as many are counted, of as many requests as the server had."""
    statuses: Counter[int] = Counter()

    async def reply(request: str, *_: object) -> bytes:
        status = 503 if sum(statuses.values()) % 20 == 19 else 200
        statuses[status] += 1
        return said(status, json.dumps({"id": 7}) if request.startswith("POST") else "")

    async with server(reply) as (edge, heard):
        over = asyncio.Event()
        asyncio.get_running_loop().call_later(2.0, over.set)
        found = await Traffic(edge, "h", "a").run(over)
    assert found["requests"] == len(heard) == sum(statuses.values())
    assert len(found["failed"]) == statuses[503] >= 5
    # A page without assets makes 3 of the 6 requests that the rate allows for; half of it is a busy machine's.
    assert 0.5 * 190 <= found["requests"] / found["seconds"] <= 205
    assert Counter(each.split()[0] for each in heard)["POST"] == pytest.approx(8, abs=4)


SCRIPTS = {version: f"// script {version}" for version in ("one", "two")}


def asset(version: str) -> str:
    """Return the path of a version's script, as the example's build names it."""
    return f"/assets/{hashlib.sha256(SCRIPTS[version].encode()).hexdigest()[:12]}.js"


def html(version: str) -> str:
    """Return the page of a version."""
    return f'<meta name="planera-version" content="{version}"><script src="{asset(version)}"></script>'


async def _loaded(answers: dict[str, bytes]) -> Tally:
    async def reply(request: str, *_: object) -> bytes:
        return answers.get(request.split()[1], said(404, "no"))

    async with server(reply) as (edge, _):
        tally = Tally()
        client = Client(edge, tally)
        await page.load(client, "h", Jar())
        client.close()
    return tally


def _api(version: str) -> bytes:
    return said(200, "{}", f"Planera-Version: {version}")


WHOLE = {
    "/": said(200, html("one")),
    asset("one"): said(200, SCRIPTS["one"]),
    "/api/version": _api("a1"),
    "/api/tasks": _api("a1"),
}


@pytest.mark.parametrize(
    ("change", "failed", "mixed"),
    [
        pytest.param({}, 0, "", id="whole"),
        pytest.param({asset("one"): said(404, "gone")}, 1, "is 404", id="asset-missing"),
        pytest.param({asset("one"): said(200, html("two"))}, 0, "another content", id="asset-of-another-version"),
        pytest.param({asset("one"): said(502, "bad")}, 1, "", id="asset-failed"),
        pytest.param({"/api/tasks": _api("a2")}, 0, "as a1 and as a2", id="two-versions-of-the-api"),
        pytest.param({"/api/version": said(200, '{"version": "a2"}')}, 0, "as a2 and as a1", id="version-as-content"),
        pytest.param({"/": said(500, "oops")}, 1, "", id="no-page"),
    ],
)
async def test_mixed_pages_are_told_from_whole_ones(change: dict[str, bytes], failed: int, mixed: str) -> None:
    """A page is mixed when an asset is missing or another one, or the API answers as two versions."""
    tally = await _loaded(WHOLE | change)
    assert (tally.pages, len(tally.failed), len(tally.mixed)) == (1, failed, bool(mixed))
    assert all(mixed in each.why for each in tally.mixed)


async def test_pages_of_two_servers_are_whole_only_if_the_browser_keeps_to_one() -> None:
    """Two versions serve at once: no load is mixed with a cookie that a page sets for its assets, many are without."""
    assert await _two_versions("planera-page={}; Path=/assets; Max-Age=10") == 0
    assert await _two_versions("planera-page={}; Path=/assets; Max-Age=0") > 5
    assert await _two_versions("planera-page={}; Path=/other") > 5


async def _two_versions(cookie: str) -> int:
    """Load twenty pages of two servers that take turns, and return how many were mixed."""
    turns = iter(range(1000))

    async def reply(request: str, headers: dict[str, str], _: Any) -> bytes:
        pinned = headers.get("cookie", "").rpartition("=")[2]
        version = pinned or ("one", "two")[next(turns) % 3 % 2]
        content = {"/": html(version), asset(version): SCRIPTS[version]}.get(request.split()[1])
        if request.split()[1].startswith("/api/"):
            return _api("a1")
        lines = () if pinned else (f"Set-Cookie: {cookie.format(version)}",)
        return said(404, "", *lines) if content is None else said(200, content, *lines)

    async with server(reply) as (edge, _):
        tally = Tally()
        client, jar = Client(edge, tally), Jar()
        for number in range(20):
            await page.load(client, "h", jar if number % 2 else Jar())
        client.close()
    assert tally.pages == 20
    return len(tally.mixed)


def test_quantiles_are_measured_values() -> None:
    """A percentile is one of the values, the smallest that so many do not exceed."""
    values = [float(number) for number in range(1, 201)]
    assert (quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1)) == (100, 198, 200)
    assert (quantile([3.0], 0.99), quantile([], 0.99)) == (3, 0)
