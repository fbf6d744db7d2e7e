"""Backup and restore of real rows, by the commands that a user types: what is lost, and what never is."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import App, run
from tests.e2e.web import Web

_CONFIRM = "--confirm=restore-staging"
CALLS = (
    ("backup", "--env=staging", "--wait=30"),
    ("restore", "--env=staging", "--from=large.tar", _CONFIRM, "--wait=30", "--shown=json"),
)
"""What is typed here, for tests/e2e/test_cli.py."""
_LARGE = """
CREATE TABLE ballast AS SELECT i, (SELECT string_agg(encode(sha512((i || '/' || j)::bytea), 'base64'), '')
  FROM generate_series(1, {parts}) AS j) AS noise FROM generate_series(1, {rows}) AS i
"""
_ROWS = int(os.environ.get("PLANERA_ROWS", "185000"))
"""Rows of the large database, 1.1 KB each in its backup: a fifth of what `make gigabyte` has."""
_MOST_MIB = 150
"""The most memory of a restore, which must be less than the file for the file not to be held in it."""
_SUM = "SELECT count(*), sum(hashtextextended(i || noise, 7)::numeric) FROM ballast"


@pytest.fixture(scope="module")
def own(make: Callable[[], App]) -> App:
    """Deploy an application with a task in its database."""
    app = make()
    app.deployed()
    _sql(app, "INSERT INTO tasks (title, due) VALUES ('pay the rent', '2026-12-01'), ('feed the cat', NULL)")
    return app


@pytest.fixture(scope="module")
def saved(own: App) -> Path:
    """Back it up."""
    return _backup(own, "saved.tar")


def _sql(app: App, query: str, database: str = "planera") -> str:
    return run([*_exec(app), "psql", "-U", "planera", "-d", database, "-XAtqc", query]).strip()


def _exec(app: App) -> list[str]:
    return ["kubectl", "-n", app.namespace, "exec", "postgres-0", "--"]


def _databases(app: App, word: str) -> list[str]:
    """Return the databases of restores: half made ones, or former ones."""
    return _sql(app, f"SELECT datname FROM pg_database WHERE datname LIKE 'planera\\_{word}\\_%' ORDER BY 1").split()


def _tasks(app: App) -> str:
    return _sql(app, "SELECT id, title, due, done, created FROM tasks ORDER BY id")


def _settings(app: App) -> str:
    """Return what is set on the database itself."""
    grants = "SELECT array_agg(a::text ORDER BY a::text) FROM pg_database, unnest(datacl) a WHERE datname = 'planera'"
    settings = (
        "SELECT setconfig FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase WHERE datname = 'planera'"
    )
    return _sql(app, f"{grants}; {settings}")


def _backup(app: App, name: str, *words: str) -> Path:
    path = app.folder / name
    outcome = app.call(*CALLS[0], *words, "-o", str(path))
    assert outcome.code == 0, outcome.err[-4000:]
    return path


def _restored(app: App, file: Path) -> dict[str, Any]:
    return app.call(*(f"--from={file}" if word.startswith("--from=") else word for word in CALLS[1])).report()


def _lines(report: dict[str, Any], step: str) -> list[str]:
    [found] = [entry for entry in report["steps"] if entry["name"] == step]
    return [found["text"], *found["details"]]


def test_backup_is_read_by_hand(own: App, saved: Path) -> None:
    """A tar, checksums, JSON, and a dump that pg_restore lists; no pod is left."""
    folder = saved.with_suffix("")
    folder.mkdir()
    run(["tar", "-xf", str(saved)], folder)
    run(["sha256sum", "--check", "--strict", "SHA256SUMS"], folder)
    about = json.loads((folder / "backup.json").read_text())
    assert about["database"] == "planera"
    assert "planera-backend" in about["version"]
    listing = [*_exec(own)[:4], "-i", *_exec(own)[4:], "pg_restore", "--list"]
    with (folder / "database.dump").open("rb") as dump:
        done = subprocess.run(listing, stdin=dump, capture_output=True, text=True, check=True)
    assert "TABLE DATA public tasks" in done.stdout
    assert not [
        pod
        for pod in own.get("pods")
        if pod["metadata"]["name"] == "backup" and "deletionTimestamp" not in pod["metadata"]
    ]


def test_restore_brings_every_row_back_without_a_restart(own: App, saved: Path, web: Web) -> None:
    """Rows that changed, went and came are as they were; the former database is kept, and dropped as is said."""
    before, pods = _tasks(own), own.pods("backend")
    _sql(own, "DELETE FROM tasks WHERE title = 'feed the cat'")
    _sql(own, "UPDATE tasks SET title = 'pay nothing', done = true")
    _sql(own, "INSERT INTO tasks (title) SELECT 'later ' || i FROM generate_series(1, 40) i")
    _sql(own, "ALTER DATABASE planera SET search_path TO public, extra; ALTER DATABASE planera SET work_mem TO '8MB'")
    _sql(own, "REVOKE CONNECT ON DATABASE planera FROM PUBLIC; GRANT CONNECT ON DATABASE planera TO pg_monitor")
    settings = _settings(own)
    report = _restored(own, saved)
    assert _settings(own) == settings, "what is set on the database itself is set on its successor"
    assert _tasks(own) == before
    assert own.pods("backend") == pods, "the application connects anew by itself"
    assert {task["title"] for task in json.loads(web.get(own.api, "/api/tasks")[1])["tasks"]} >= {"pay the rent"}
    assert "tasks 41 → 2 rows" in _lines(report, "rows")
    [former] = _databases(own, "before")
    assert _sql(own, "SELECT count(*) FROM tasks", former) == "41"
    [note] = report["notes"]
    run(note.partition(": ")[2].split())
    assert not _databases(own, "before")
    assert not _databases(own, "restore")


def test_backup_of_an_older_schema_is_migrated_before_it_is_used(own: App) -> None:
    """The release that runs finds the schema that it needs."""
    undone = "DROP INDEX tasks_in_order; ALTER TABLE tasks DROP done; DELETE FROM schema_migrations WHERE version = 2"
    before = _sql(own, "SELECT count(*) FROM tasks")
    _sql(own, undone)
    older = _backup(own, "older.tar")
    report = _restored(own, older)
    assert any("applied 002" in line for line in _lines(report, "migrate")), report
    assert _sql(own, "SELECT count(*) FROM tasks WHERE NOT done") == before


@pytest.mark.parametrize("confirm", ["", "restore-production", "yes"])
def test_restore_without_the_phrase_touches_nothing(own: App, saved: Path, confirm: str) -> None:
    """The message shows the command; no lock is taken, no pod made, no database."""
    before = _state(own)
    outcome = own.call("restore", "--env=staging", f"--from={saved}", f"--confirm={confirm}")
    assert outcome.code != 0
    assert "dagger call restore --env staging --from FILE --confirm restore-staging" in outcome.message
    assert _state(own) == before


@pytest.mark.parametrize("damage", ["byte", "end", "other"])
def test_damaged_file_is_refused_before_anything_is_touched(own: App, saved: Path, damage: str) -> None:
    """A byte that changed, an end that is missing, a file that is no backup."""
    data = bytearray(saved.read_bytes())
    if damage == "byte":
        data[data.index(b"PGDMP") + 700] ^= 1
    file = own.folder / f"{damage}.tar"
    file.write_bytes({"byte": bytes(data), "end": bytes(data[:2600]), "other": b"hello" * 1000}[damage])
    before = _state(own)
    outcome = own.call("restore", "--env=staging", f"--from={file}", _CONFIRM)
    assert outcome.code != 0
    assert "the file cannot be used" in outcome.message
    assert "the database in use is as it was" in outcome.message
    assert _state(own) == before


def _state(app: App) -> tuple[str, str, str]:
    """Return the tasks, the databases, and when the lock was last taken."""
    databases = _sql(app, "SELECT oid, datname FROM pg_database ORDER BY 1")
    return _tasks(app), databases, str(app.get("leases")[-1]["metadata"]["resourceVersion"])


@pytest.mark.parametrize("mark", ["pg_restore fills", "exchanges"])
def test_restore_that_is_killed_loses_nothing(own: App, web: Web, mark: str) -> None:
    """SIGKILL while pg_restore runs, or at the exchange: the old data or the new, whole; the next one works."""
    for former in _databases(own, "before"):
        _sql(own, f"DROP DATABASE {former}", "postgres")
    _sql(own, "DROP TABLE IF EXISTS ballast")
    _sql(own, _LARGE.format(parts=8, rows=20_000))
    file, whole = _backup(own, "killed.tar"), _sql(own, _SUM)
    _sql(own, "DELETE FROM ballast WHERE i % 2 = 0")
    half = _sql(own, _SUM)
    own.killed(mark, "restore", "--env=staging", f"--from={file}", _CONFIRM)
    if mark == "pg_restore fills":
        assert _databases(own, "restore"), "it was killed with a database half made"
        assert _sql(own, _SUM) == half
    assert web.answers(own.api, "/health"), "the exchange ends connections, the application opens them anew"
    assert _sql(own, _SUM) in (half, whole)
    _restored(own, file)
    assert _sql(own, _SUM) == whole
    assert not _databases(own, "restore"), "what was left half made is dropped"
    assert all(_sql(own, _SUM, former) in (half, whole) for former in _databases(own, "before"))


def test_nightly_backups_are_kept_and_taken_out(own: App) -> None:
    """The newest seven stay; each can be had as a file, and a name that is not there says which are."""
    made = run(
        [
            "kubectl",
            "-n",
            own.namespace,
            "create",
            "job",
            "nightly",
            "--from=cronjob/backup",
            "--dry-run=client",
            "-o",
            "json",
        ]
    )
    job = json.loads(made)
    container = job["spec"]["template"]["spec"]["containers"][0]
    older = "for n in 1 2 3 4 5 6 7 8 9; do touch /backups/nightly-2026010${n}T021700Z.tar; done"
    other = "touch /backups/deploy-20260101T021700Z.tar"
    script = f"{older}; {other}; sh /scripts/backup.sh keep nightly; ls /backups"
    container |= {"command": ["sh", "-c", script], "args": []}
    subprocess.run(["kubectl", "apply", "-f", "-"], input=json.dumps(job), text=True, check=True, capture_output=True)
    run(["kubectl", "-n", own.namespace, "wait", "--for=condition=Complete", "job/nightly", "--timeout=120s"])
    said, *names = run(["kubectl", "-n", own.namespace, "logs", "job/nightly"]).split("\n")
    kept = sorted(name for name in names if name.startswith("nightly-"))
    assert len(kept) == 7
    assert kept[0] == "nightly-20260104T021700Z.tar"
    assert "deploy-20260101T021700Z.tar" in names
    assert kept[-1] in said
    taken = _backup(own, "kept.tar", f"--kept={kept[-1]}")
    before = _tasks(own)
    _sql(own, "DELETE FROM tasks")
    _restored(own, taken)
    assert _tasks(own) == before
    outcome = own.call(
        "backup", "--env=staging", "--kept=nightly-20200101T000000Z.tar", "-o", str(own.folder / "no.tar")
    )
    assert outcome.code != 0
    assert kept[-1] in outcome.message


def test_large_backup_goes_out_and_comes_back(own: App) -> None:
    """Each row of a database that no memory holds, by the CLI: through its tunnel and the engine to a file."""
    app = replace(own, cli=True)
    _sql(app, "DROP TABLE IF EXISTS ballast")
    _sql(app, _LARGE.format(parts=16, rows=_ROWS))
    whole = _sql(app, _SUM)
    file = _backup(app, "large.tar")
    assert file.stat().st_size > max(1055 * _ROWS, 1.2 * _MOST_MIB * 2**20)
    _sql(app, "UPDATE ballast SET noise = 'gone' WHERE i % 10 = 0; DELETE FROM ballast WHERE i % 3 = 0")
    report = _restored(app, file)
    assert f"ballast {_ROWS - _ROWS // 3} → {_ROWS} rows" in _lines(report, "rows")
    assert _sql(app, _SUM) == whole
    assert report["memory"] < _MOST_MIB, "the file is never held in memory"
