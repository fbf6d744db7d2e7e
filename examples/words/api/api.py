"""The API: takes texts in, and tells what the worker has counted. Serve it: `python api.py`."""

import asyncio
import signal
import sys
import time
from contextlib import asynccontextmanager

import uvicorn
from psycopg import OperationalError
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from texts import Refused, answer_of, text_of

MAX_BODY = 1024 * 1024
LAST = 20
WAIT, BETWEEN = 10, 0.2  # seconds
INSERT = """
WITH added AS (INSERT INTO texts (text) VALUES (%s) RETURNING id)
SELECT id, pg_notify('texts', '') FROM added
"""


@asynccontextmanager
async def lifespan(app: Starlette):
    """Open the pool without waiting for it: an absent database is a 503, not a crash."""
    # Where the database is and who we are there, libpq reads from the environment: PGHOST, PGPASSWORD and so on.
    check = AsyncConnectionPool.check_connection
    pool = AsyncConnectionPool("", min_size=1, max_size=8, timeout=3, reconnect_timeout=2, open=False, check=check)
    await pool.open(wait=False)
    app.state.pool = pool
    yield
    await pool.close(timeout=5)


async def fetch(request: Request, query: str, *values: object) -> list[tuple]:
    """Run one query in a transaction of its own."""
    async with request.app.state.pool.connection() as connection:
        return await (await connection.execute(query, values)).fetchall()


async def livez(_: Request) -> JSONResponse:
    """Say that the process answers; the database plays no part, a restart would not mend it."""
    return JSONResponse({"status": "ok"})


async def health(request: Request) -> JSONResponse:
    """Say whether requests can be served, and how many texts wait for the worker."""
    [[waiting]] = await fetch(request, "SELECT count(*) FROM texts WHERE counts IS NULL")
    return JSONResponse({"status": "ok", "waiting": waiting})


async def last_texts(request: Request) -> JSONResponse:
    """Tell of the last texts, the newest first."""
    rows = await fetch(request, "SELECT id, counts FROM texts ORDER BY id DESC LIMIT %s", LAST)
    return JSONResponse({"texts": [answer_of(number, counts)[0] for number, counts in rows]})


async def add(request: Request) -> JSONResponse:
    """Take a text in and wake a worker."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise HTTPException(413, f"the body is too large: at most {MAX_BODY} bytes")
    [[number, _]] = await fetch(request, INSERT, text_of(body))
    told, status = answer_of(number, None)
    return JSONResponse(told, status, headers={"Location": f"/api/texts/{number}"})


async def one(request: Request) -> JSONResponse:
    """Tell of one text; with ?wait the answer comes when it is counted, or after a while."""
    number = request.path_params["id"]
    deadline = time.monotonic() + (WAIT if "wait" in request.query_params else 0)
    while True:
        rows = await fetch(request, "SELECT counts FROM texts WHERE id = %s", min(number, 2**63 - 1))
        if not rows:
            raise HTTPException(404, "there is no such text")
        told, status = answer_of(number, rows[0][0])
        if status == 200 or time.monotonic() > deadline:
            return JSONResponse(told, status)
        await asyncio.sleep(BETWEEN)


def failure(status: int):
    """Make a handler that answers with the error's own sentence."""
    return lambda _, error: JSONResponse({"error": str(error)}, status)


ERRORS = {
    HTTPException: lambda _, error: JSONResponse({"error": error.detail}, error.status_code, headers=error.headers),
    Refused: failure(422),
    PoolTimeout: lambda *_: JSONResponse({"error": "the database cannot be reached"}, 503),
    OperationalError: lambda *_: JSONResponse({"error": "the database cannot answer"}, 503),
}
ROUTES = [
    Route("/livez", livez),
    Route("/health", health),
    Route("/api/texts", last_texts),
    Route("/api/texts", add, methods=["POST"]),
    Route("/api/texts/{id:int}", one),
]


def main() -> None:
    """Serve until a signal comes, then finish the requests under way."""
    # The first process of a container has no default handlers: without this one, SIGTERM before
    # the server is up would be ignored. It also makes the end of a clean shutdown exit code 0.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    app = Starlette(routes=ROUTES, lifespan=lifespan, exception_handlers=ERRORS)
    # Longer than proxies keep a connection that is not used (Traefik: 90 s): one that ends first cannot lose a request.
    timeouts = {"timeout_keep_alive": 120, "timeout_graceful_shutdown": 25}
    uvicorn.run(app, host="0.0.0.0", port=8000, access_log=False, server_header=False, **timeouts)


if __name__ == "__main__":
    main()
