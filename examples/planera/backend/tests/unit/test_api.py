"""The HTTP surface over a store in memory: statuses, shapes, and that errors are JSON."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from planera_backend.api import create_app
from planera_backend.settings import DatabaseSettings, Settings
from planera_backend.store import Exists, Unavailable
from planera_backend.tasks import Task


class MemoryStore:
    """A TaskStore without a database."""

    def __init__(self):
        self.tasks, self.last, self.broken = {}, 0, False

    async def open(self):
        pass

    async def close(self):
        pass

    async def check(self):
        if self.broken:
            raise Unavailable("no connection to the database in time")

    async def list(self):
        await self.check()
        return list(self.tasks.values()), len(self.tasks)

    async def create(self, fields):
        self.last += 1
        return self.tasks.setdefault(self.last, Task(self.last, done=False, created=datetime.now(UTC), **fields))

    async def update(self, task_id, fields):
        if task_id in self.tasks:
            self.tasks[task_id] = replace(self.tasks[task_id], **fields)
        return self.tasks.get(task_id)

    async def delete(self, task_id):
        return self.tasks.pop(task_id, None)

    async def restore(self, task):
        if task.id in self.tasks:
            raise Exists
        return self.tasks.setdefault(task.id, task)


@pytest.fixture
def store():
    """Give a store of its own to each test."""
    return MemoryStore()


@pytest.fixture
def client(store):
    """Speak to the API in process."""
    database = DatabaseSettings("nowhere", 1, "planera", "planera", "p-secret")
    with TestClient(create_app(Settings(database, "j-secret", "info", "1a2b3c"), store)) as client:
        yield client


def test_the_life_of_a_task(client):
    """Create, rename, tick, delete, undo."""
    made = client.post("/api/tasks", json={"title": "Water the plants", "due": "2026-12-31"})
    assert made.status_code == 201
    assert made.json() | {"created": ""} == {
        "id": 1,
        "title": "Water the plants",
        "due": "2026-12-31",
        "done": False,
        "created": "",
    }

    assert client.patch("/api/tasks/1", json={"title": "Water all"}).json()["title"] == "Water all"
    assert client.patch("/api/tasks/1", json={"done": True}).json()["done"] is True
    before = client.get("/api/tasks").json()
    assert before["total"] == 1

    token = client.delete("/api/tasks/1").json()["undo"]
    assert client.get("/api/tasks").json() == {"tasks": [], "total": 0}

    assert client.post("/api/tasks/restore", json={"undo": token}).status_code == 201
    assert client.get("/api/tasks").json() == before
    assert client.post("/api/tasks/restore", json={"undo": token}).status_code == 409


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "error"),
    [
        ("POST", "/api/tasks", b"{", 400, "the body is not json"),
        ("POST", "/api/tasks", b"\xff", 400, "the body is not json"),
        ("POST", "/api/tasks", b"[" * 9999, 400, "the body is not json"),
        ("POST", "/api/tasks", b" " * 20000, 413, "the body is too large: at most 16384 bytes"),
        ("POST", "/api/tasks", b"{}", 422, "title is required"),
        ("POST", "/api/tasks/restore", b"{}", 422, "undo is required: the token that the deletion returned"),
        ("POST", "/api/tasks/restore", b'{"undo": "x"}', 400, "the undo token is not valid"),
        ("PATCH", "/api/tasks/9", b'{"done": true}', 404, "no task 9"),
        ("DELETE", "/api/tasks/99999999999999999999999", None, 404, "no task 99999999999999999999"),
        ("DELETE", "/api/tasks", None, 405, "method not allowed"),
        ("GET", "/api/nothing", None, 404, "not found"),
    ],
)
def test_errors_are_clear_json(client, method, path, body, status, error):
    """Every refusal has the same shape and says why."""
    answer = client.request(method, path, content=body)

    assert (answer.status_code, answer.json()) == (status, {"error": error})


def test_health_follows_the_database(client, store):
    """503 with a reason while the database is away; the process itself stays live."""
    assert client.get("/health").json() == {"status": "ok", "database": "reachable", "version": "1a2b3c"}

    store.broken = True
    answer = client.get("/health")

    assert answer.status_code == 503
    assert answer.json()["reason"] == "no connection to the database in time"
    assert client.get("/api/tasks").status_code == 503
    assert client.get("/livez").status_code == 200


def test_version(client):
    """The version is that of the settings, and every answer names it."""
    assert client.get("/api/version").json() == {"name": "planera", "version": "1a2b3c"}
    for path in ("/api/tasks", "/api/nothing", "/livez"):
        assert client.get(path).headers["planera-version"] == "1a2b3c"
