"""What a backup is, and what is made of it: names, phrases, checks, pods."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import yaml

from planera_ci.domain import backup as b
from planera_ci.domain import sql
from planera_ci.domain.manifests import Key, Obj
from planera_ci.domain.plan import Action, Change, Plan
from planera_ci.errors import ConfigError, DataError
from planera_ci.pipeline.archive import opened

Refusal = Callable[[type[Exception]], AbstractContextManager[object]]
MOMENT = 1769825820.0
LABELS = {"app.kubernetes.io/managed-by": "planera-ci"}


@pytest.fixture(scope="module")
def cronjob() -> Obj:
    """Read the CronJob of this repository's manifests."""
    file = Path(__file__).parents[2] / "k8s/base/backup.yaml"
    found: Obj = b.template(yaml.safe_load_all(file.read_text(encoding="utf-8")), "back up")
    found["metadata"]["namespace"] = "planera-staging"
    return found


@pytest.mark.cases("backup/phrase")
def test_restore_asks_for_the_exact_phrase(case: Any, refusal: Refusal) -> None:
    """Data are replaced by nobody who did not type so; the message shows what to type."""
    with refusal(ConfigError):
        b.check_restore("restore planera", case["environment"], case["given"])


@pytest.mark.cases("backup/fault")
def test_fault_of_a_backup_is_told(case: Any) -> None:
    """Members, their order, both checksums and the dump's first bytes are looked at."""
    both = {b.ABOUT: "aa", b.DUMP: "bb"}
    wanted = {name: text for name, text in {**both, **case.get("wanted", {})}.items() if text}
    found = {**both, **case.get("found", {})}
    start = case.get("start", "PGDMP").encode()
    assert b.fault_of(case.get("names", b.MEMBERS), wanted, found, start) == case["fault"]


@pytest.mark.cases("backup/about")
def test_backup_says_what_it_is_of(case: Any, refusal: Refusal) -> None:
    """The description is read, or refused in words."""
    with refusal(ValueError):
        assert b.about(case["text"]).text() == case["says"]


@pytest.mark.cases("backup/names")
def test_databases_are_named_by_the_moment(case: Any) -> None:
    """The one that is filled and the one that is kept have names that Postgres takes whole."""
    names = b.half_made(case["database"], MOMENT), b.former(case["database"], MOMENT)
    assert names == (case["fresh"], case["former"])
    assert all(len(name.encode()) <= 63 for name in names)


@pytest.mark.cases("backup/table")
def test_rows_are_told_by_table(case: Any) -> None:
    """What a restore changed is seen at a glance."""
    assert list(b.table(case["before"], case["after"], most=2 if len(case["after"]) > 3 else 20)) == case["lines"]


@pytest.mark.parametrize("name", ["nightly-20260131T021700Z.tar", "deploy-20260131T021700Z.tar", ""])
def test_kept_backup_is_named_as_the_script_names_it(name: str) -> None:
    """Nothing but a name reaches the pod."""
    b.check_kept("back up", name)


@pytest.mark.parametrize(
    "name", ["../etc/passwd", "nightly", "nightly-2026.tar; id", ".part-backup", "/backups/a-1.tar"]
)
def test_what_is_no_name_of_a_backup_is_refused(name: str) -> None:
    """A path or a command is no name."""
    with pytest.raises(ConfigError, match="is no name of a backup"):
        b.check_kept("back up", name)


def test_checksums_are_read_as_sha256sum_writes_them() -> None:
    """Text and binary mode, and nothing else."""
    text = f"{'a' * 64}  backup.json\n{'b' * 64} *database.dump\nnot a line\n"
    assert b.sums(text) == {"backup.json": "a" * 64, "database.dump": "b" * 64}


def test_pod_holds_a_backup_without_the_volume_of_the_kept_ones(cronjob: Obj) -> None:
    """It is the CronJob's pod under the same Pod Security, bounded, and a full volume is not in its way."""
    before = copy.deepcopy(cronjob)
    pod = b.pod(cronjob, "backup", LABELS, holds=True)
    spec, [container] = pod["spec"], pod["spec"]["containers"]
    template = cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert (container["command"], container["args"]) == (["sh", "/scripts/backup.sh"], ["hold"])
    assert container["securityContext"] == template["containers"][0]["securityContext"]
    assert spec["securityContext"] == template["securityContext"]
    assert spec["activeDeadlineSeconds"] <= 7200
    assert not [volume for volume in spec["volumes"] if "persistentVolumeClaim" in volume]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in spec["volumes"]}
    assert pod["metadata"]["labels"].items() >= {"app.kubernetes.io/name": "backup", **LABELS}.items()
    assert cronjob == before, "the manifests given are left as they are"


def test_pod_that_waits_runs_nothing_of_its_own(cronjob: Obj) -> None:
    """What is done in it is told to it later; it has no probe that could kill it."""
    pod = b.pod(cronjob, "restore", {}, holds=False, claims=True)
    [container] = pod["spec"]["containers"]
    assert container["command"] + container["args"] == ["sleep", "infinity"]
    assert "readinessProbe" not in container
    assert [volume for volume in pod["spec"]["volumes"] if "persistentVolumeClaim" in volume]


def test_backup_before_a_migration_is_a_job_of_its_own_kind(cronjob: Obj) -> None:
    """It does not push the nightly ones out, and goes away by itself."""
    job = b.one_off(cronjob, "backup-7", LABELS)
    assert job["metadata"]["name"] == "backup-7"
    assert job["spec"]["template"]["spec"]["containers"][0]["args"] == ["keep", "deploy"]
    assert job["spec"]["ttlSecondsAfterFinished"] > 0
    assert job["spec"]["activeDeadlineSeconds"] > 0


def test_migrations_are_the_jobs_that_run_a_component() -> None:
    """A Job of a third party's image, which sets a password, is none."""
    objs = [
        {"kind": kind, "metadata": {"name": name}, "spec": {"template": {"spec": {"containers": [{"image": image}]}}}}
        for kind, name, image in (
            ("Job", "migrate", "ghcr.io/p/planera-backend@sha256:aa"),
            ("Job", "password", "docker.io/library/postgres@sha256:bb"),
            ("Deployment", "backend", "ghcr.io/p/planera-backend@sha256:aa"),
        )
    ]
    images = {"planera-backend": objs[0]["spec"]["template"]["spec"]["containers"][0]["image"], "postgres:17": "x"}
    assert [obj["metadata"]["name"] for obj in b.migrations(objs, images)] == ["migrate"]


@pytest.mark.parametrize(
    ("name", "action", "runs"),
    [
        ("migrate", Action.CREATE, True),
        ("migrate", Action.REPLACE, True),
        ("migrate", Action.KEEP, False),
        ("other", Action.CREATE, False),
    ],
)
def test_backup_is_due_when_a_migration_is(name: str, action: Action, *, runs: bool) -> None:
    """A migration that stays as it is does not run, and needs no backup."""
    meta = {"name": "migrate", "namespace": "n"}
    spec = {"template": {"spec": {"containers": [{"image": "x"}]}}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": spec}
    planned = Plan((Change(Key("batch/v1", "Job", "n", name), action),))
    assert b.migrates([job], {"planera-backend": "x"}, planned) is runs


def test_migration_of_restored_data_is_told_the_database() -> None:
    """The release's own Job runs, under another name, on the database that is not in use yet."""
    container = {"name": "m", "image": "x", "env": [{"name": "DATABASE_NAME", "value": "old"}, {"name": "A"}]}
    meta = {"name": "migrate", "namespace": "n", "annotations": {"a": "b"}}
    original = {"kind": "Job", "metadata": meta, "spec": {"template": {"spec": {"containers": [container]}}}}
    before = copy.deepcopy(original)
    job = b.migration(original, "planera_restore_x")
    assert job["metadata"] == {"name": "migrate-restore", "namespace": "n"}
    [made] = job["spec"]["template"]["spec"]["containers"]
    assert made["env"] == [{"name": "DATABASE_NAME", "value": "planera_restore_x"}, {"name": "A"}], "A may refer to it"
    assert original == before, "the release is left as it is"


@pytest.mark.parametrize(
    ("takes", "fine"),
    [
        ({"env": [{"name": "DATABASE_NAME", "value": "planera"}]}, True),
        ({"envFrom": [{"configMapRef": {"name": "database"}}]}, True),
        ({"envFrom": [{"configMapRef": {"name": "database"}, "prefix": "PG_"}]}, False),
        ({"envFrom": [{"configMapRef": {"name": "other"}}]}, False),
        ({"env": [{"name": "DATABASE_URL", "value": "postgres://planera@postgres/planera"}]}, False),
    ],
    ids=["variable", "map", "map with a prefix", "another map", "an address"],
)
@pytest.mark.parametrize("where", ["containers", "initContainers"])
def test_migration_that_cannot_be_redirected_is_refused(takes: Obj, where: str, *, fine: bool) -> None:
    """It would migrate the database in use, whichever of its containers does that."""
    good = {"name": "m", "env": [{"name": "DATABASE_NAME", "value": "planera"}]}
    spec = {"containers": [good], "initContainers": [good], where: [{"name": "m", **takes}]}
    job = {"kind": "Job", "metadata": {"name": "migrate"}, "spec": {"template": {"spec": spec}}}
    maps = [
        {"kind": "ConfigMap", "metadata": {"name": "database"}, "data": {"DATABASE_NAME": "planera"}},
        {"kind": "ConfigMap", "metadata": {"name": "other"}, "data": {"A": "b"}},
    ]
    if fine:
        b.check_migrations("restore", [job], maps)
    else:
        with pytest.raises(ConfigError, match=r"container m of job migrate takes no variable DATABASE_NAME"):
            b.check_migrations("restore", [job], maps)


def test_cluster_without_the_cronjob_says_what_to_add() -> None:
    """A backup cannot be guessed."""
    with pytest.raises(ConfigError, match=r"there is no CronJob backup\. Add it to the manifests"):
        b.template([{"kind": "CronJob", "metadata": {"name": "other"}}], "back up")


def test_names_reach_sql_as_arguments() -> None:
    """A database's name is never part of a command's text."""
    for command in (sql.create("x;y"), sql.fill("x;y"), sql.count("x;y"), sql.switch("x;y", "z"), sql.exchanged("x;y")):
        assert "x;y" not in command[2]
        assert command[3:5] == ("sh", "x;y")


def test_rows_are_read_by_table() -> None:
    """A table's name may hold the separator."""
    assert sql.rows("tasks|5\nodd|name|7\n\n") == {"tasks": 5, "odd|name": 7}


def _backup(folder: Path, dump: bytes = b"PGDMP and more", *, kind: bytes = tarfile.REGTYPE) -> Path:
    text = json.dumps({"format": 1, "database": "planera", "postgres": "17.2", "time": "now"}).encode()
    both = {b.ABOUT: text, b.DUMP: dump}
    lines = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in both.items())
    path = folder / "b.tar"
    with tarfile.open(path, "w") as tar:
        for name, data in {b.ABOUT: text, b.SUMS: lines.encode(), b.DUMP: dump}.items():
            info = tarfile.TarInfo(name)
            info.size, info.type = len(data), kind
            tar.addfile(info, io.BytesIO(data))
    return path


def test_backup_is_read_in_pieces(tmp_path: Path) -> None:
    """The dump comes out as it went in."""
    dump = b"PGDMP" + bytes(range(256)) * 3000
    backup = opened(_backup(tmp_path, dump), "restore", "")
    assert b"".join(backup.dump()) == dump
    assert (backup.size, backup.checksum) == (len(dump), hashlib.sha256(dump).hexdigest())


@pytest.mark.parametrize("at", [0, 520, 1100, 2600, -3000])
def test_byte_that_is_not_what_it_was_is_seen(tmp_path: Path, at: int) -> None:
    """Wherever the damage is: a header, the description, the checksums or the dump."""
    path = _backup(tmp_path, b"PGDMP" + b"x" * 5000)
    data = bytearray(path.read_bytes())
    data[at] ^= 0x11
    path.write_bytes(data)
    with pytest.raises(DataError, match="the file cannot be used"):
        opened(path, "restore", "give another")


@pytest.mark.parametrize("size", [0, 100, 512, 1600, 3000])
def test_file_that_was_cut_off_is_refused(tmp_path: Path, size: int) -> None:
    """A download that broke is no backup."""
    path = _backup(tmp_path, b"PGDMP" + b"x" * 5000)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DataError, match="the file cannot be used"):
        opened(path, "restore", "give another")


def test_link_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    """Nothing is read that is not in the file itself."""
    with pytest.raises(DataError, match="the file cannot be used"):
        opened(_backup(tmp_path, kind=tarfile.SYMTYPE), "restore", "give another")
