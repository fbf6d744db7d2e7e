"""The HTTP surface: routes, bodies in, JSON out, and one shape for every error."""

import json
import logging
import time
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from . import undo
from .settings import Settings
from .store import Exists, TaskStore, Unavailable
from .tasks import InvalidTask, changes, new_task

MAX_BODY = 16 * 1024
MAX_ID = 2**63 - 1
log = logging.getLogger("planera")


def create_app(settings: Settings, store: TaskStore) -> Starlette:
    """Wire routes to a store; tests give one of their own."""

    @asynccontextmanager
    async def lifespan(_: Starlette):
        await store.open()
        yield
        await store.close()

    routes = [
        Route("/", version),
        Route("/livez", livez),
        Route("/health", health),
        Route("/api/version", version),
        Route("/api/tasks", list_tasks),
        Route("/api/tasks", create_task, methods=["POST"]),
        Route("/api/tasks/restore", restore_task, methods=["POST"]),
        Route("/api/tasks/{id:int}", change_task, methods=["PATCH"]),
        Route("/api/tasks/{id:int}", delete_task, methods=["DELETE"]),
    ]
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers=ERRORS)
    app.state.settings = settings
    app.state.store = store
    app.add_middleware(AccessLog)
    return app


async def livez(_: Request) -> JSONResponse:
    """Say that the process answers; the database plays no part, a restart would not mend it."""
    return JSONResponse({"status": "ok"})


async def version(request: Request) -> JSONResponse:
    """Say what runs."""
    return JSONResponse({"name": "planera", "version": request.app.state.settings.version})


async def health(request: Request) -> JSONResponse:
    """Say whether requests can be served, which takes the database."""
    running = {"version": request.app.state.settings.version}
    try:
        await request.app.state.store.check()
    except Unavailable as error:
        body = {"status": "unavailable", "database": "unreachable", "reason": str(error)}
        return JSONResponse(body | running, 503)
    return JSONResponse({"status": "ok", "database": "reachable"} | running)


async def list_tasks(request: Request) -> JSONResponse:
    """List tasks, open and urgent ones first."""
    tasks, total = await request.app.state.store.list()
    return JSONResponse({"tasks": [task.to_json() for task in tasks], "total": total})


async def create_task(request: Request) -> JSONResponse:
    """Add a task."""
    task = await request.app.state.store.create(new_task(await body_of(request)))
    return JSONResponse(task.to_json(), 201)


async def change_task(request: Request) -> JSONResponse:
    """Rename a task, move its date, tick it off."""
    fields = changes(await body_of(request))
    task = await request.app.state.store.update(id_of(request), fields)
    return JSONResponse(found(task, request).to_json())


async def delete_task(request: Request) -> JSONResponse:
    """Delete a task and hand out what brings it back."""
    task = found(await request.app.state.store.delete(id_of(request)), request)
    token = undo.token_of(task, request.app.state.settings.jwt_secret, time.time())
    return JSONResponse({"deleted": task.id, "undo": token})


async def restore_task(request: Request) -> JSONResponse:
    """Bring a deleted task back."""
    body = await body_of(request)
    token = body.get("undo") if isinstance(body, dict) else None
    if not isinstance(token, str):
        raise InvalidTask("undo is required: the token that the deletion returned")
    task = undo.task_of(token, request.app.state.settings.jwt_accepted, time.time())
    return JSONResponse((await request.app.state.store.restore(task)).to_json(), 201)


async def body_of(request: Request) -> Any:
    """Read a JSON body of bounded size."""
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BODY:
            raise HTTPException(413, f"the body is too large: at most {MAX_BODY} bytes")
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise HTTPException(400, "the body is not json") from None


def id_of(request: Request) -> int:
    """Return the id of the path, if a task can have it."""
    task_id = request.path_params["id"]
    return found(task_id if task_id <= MAX_ID else None, request)


def found(value: Any, request: Request) -> Any:
    """Return `value`, or answer 404."""
    if value is None:
        raise HTTPException(404, f"no task {str(request.path_params['id'])[:20]}")
    return value


def http_error(_: Request, error: HTTPException) -> JSONResponse:
    """Answer wrong paths and methods in the same shape as everything else."""
    return JSONResponse({"error": error.detail.lower()}, error.status_code, headers=error.headers)


def failure(status: int):
    """Make a handler that answers with the error's own sentence."""
    return lambda _, error: JSONResponse({"error": str(error)}, status)


ERRORS = {
    HTTPException: http_error,
    InvalidTask: failure(422),
    undo.InvalidToken: failure(400),
    Exists: lambda *_: JSONResponse({"error": "the task is there already"}, 409),
    Unavailable: failure(503),
    Exception: lambda *_: JSONResponse({"error": "internal error"}, 500),
}


class AccessLog:
    """The version in each answer, and one line a request; probes only at debug, or they would be most of the log."""

    def __init__(self, app) -> None:
        self.app = app

    async def __call__(self, scope, receive, send) -> None:
        """Pass the request on, say who answers, and log the outcome."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        start, status = time.monotonic(), 500
        version = scope["app"].state.settings.version.encode()

        async def watched(message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"planera-version", version)]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            level = logging.DEBUG if scope["path"] in ("/livez", "/health") and status < 400 else logging.INFO
            took = (time.monotonic() - start) * 1000
            log.log(level, "%s %s %d %.0f ms", scope["method"], ascii(scope["path"])[1:-1], status, took)
