"""The main job: an application comes to run what was built from its source, and only that."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import registry
from tests.e2e.browser import browsing
from tests.e2e.harness import App, run, step
from tests.e2e.web import Web


@dataclass
class Deployed:
    app: App
    commit: str
    report: dict[str, Any]


@pytest.fixture(scope="module")
def first(make: Callable[[], App]) -> Deployed:
    app = make()
    commit = app.commit("to deploy")
    return Deployed(app, commit, app.deployed())


def test_report_has_every_step_in_order(first: Deployed) -> None:
    """The report lists what was done, in the order in which it was done."""
    names = [s["name"] for s in first.report["steps"]]
    assert sorted(names[:3]) == ["build", "smoke", "test"]
    assert names.index("build") < names.index("smoke")
    assert names[3:] == ["publish", "apply", "rollout", "verify", "tag"]
    assert first.report["version"] == first.commit[:7]


def test_running_image_ids_are_the_published_digests(first: Deployed) -> None:
    """Every pod runs exactly the digest that the registry has under this commit's tag."""
    for component in ("backend", "frontend"):
        digest = registry.digest(first.app.repository(component), f"staging-{first.commit[:7]}")
        assert digest == registry.digest(first.app.repository(component), "staging-latest")
        pods = first.app.pods(component)
        assert len(pods) == 1
        assert all(image.endswith(digest) for image, _ in pods.values())


def test_every_image_in_the_cluster_is_pinned(first: Deployed) -> None:
    """No workload names an image by a tag, third-party ones included."""
    for workload in first.app.get("deployments,statefulsets,jobs"):
        for container in workload["spec"]["template"]["spec"]["containers"]:
            assert "@sha256:" in container["image"], container["image"]


def test_ingress_answers_with_the_deployed_version(first: Deployed, web: Web) -> None:
    """A user reaches page and API by their names, over TLS, and the API names its commit."""
    status, page = web.get(first.app.host, "/")
    assert (status, "<html" in page.lower()) == (200, True)
    status, answer = web.get(first.app.api, "/api/version")
    assert (status, json.loads(answer)["version"]) == (200, first.commit)
    status, answer = web.get(first.app.host, "/api/tasks")
    assert status == 200


def test_a_person_adds_and_finishes_a_task(first: Deployed, tmp_path: Path) -> None:
    """In a browser: a task typed into the page is stored by the API in the database and is there after a reload."""
    app = first.app
    with browsing(tmp_path) as browser:
        browser.open(f"https://{app.host}/")
        browser.type("#add input[name=title]", "Water the plants")
        browser.click("#add button")
        assert browser.text("#open:not([hidden]) ul .name") == "Water the plants"
        browser.open(f"https://{app.host}/")
        assert browser.text("#open:not([hidden]) ul .name") == "Water the plants"
        browser.click("#open ul input[type=checkbox]")
        assert browser.text("#done:not([hidden]) ul .name") == "Water the plants"
        commit = app.get("deployments", "backend")[0]["spec"]["template"]["metadata"]
        assert browser.text("#api-version") in commit["annotations"]["planera-ci/revision"]
        browser.picture(tmp_path / "page.png")
        assert (tmp_path / "page.png").stat().st_size > 10_000


def test_image_labels_say_where_it_came_from(first: Deployed) -> None:
    """The OCI labels name source, commit and the commit's own date."""
    labels = registry.labels(first.app.repository("backend"), "staging-latest")
    assert labels["org.opencontainers.image.revision"] == first.commit
    assert labels["org.opencontainers.image.source"].startswith("https://")
    date = run(["git", "log", "-1", "--format=%cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ"], first.app.source)
    assert labels["org.opencontainers.image.created"] == date.strip()


def test_manifests_hold_no_secret_and_the_cluster_has_them(first: Deployed) -> None:
    """The database password and the JWT secret are generated; no value appears in the report."""
    secret = next(s for s in first.app.get("secrets") if s["metadata"]["name"] == "planera-secrets")
    assert set(secret["data"]) >= {"database-password", "jwt-secret"}
    assert not any(value in json.dumps(first.report) for value in secret["data"].values())


def test_second_time_nothing_changes(first: Deployed) -> None:
    """With nothing changed: nothing tried again, no object written, no pod restarted, no layer pushed."""
    app = first.app
    before = {c: app.pods(c) for c in ("backend", "frontend", "postgres")}
    (app.source / "backend/dist").mkdir()
    (app.source / "backend/dist/left-over").write_text("git ignores this, and so does the pipeline\n")
    # Ours alone: cert-manager makes objects of its own beside them, and takes them away.
    ours, part = "deployments,secrets,configmaps,services,ingresses", "app.kubernetes.io/part-of=planera"
    versions = {o["metadata"]["uid"]: o["metadata"]["resourceVersion"] for o in app.get(ours, selector=part)}
    uploads = registry.uploads(app.name)
    report = app.deployed()
    assert step(report, "smoke")["text"] == "not run again: revision 1 runs the same images in the same way"
    assert "test" not in [s["name"] for s in report["steps"]]
    assert step(report, "apply")["text"].startswith("0 changed, ")
    assert step(report, "apply")["text"].endswith(", 0 removed")
    assert {c: app.pods(c) for c in before} == before
    assert {o["metadata"]["uid"] for o in app.get(ours, selector=part)} == set(versions)
    assert registry.uploads(app.name) == uploads


def test_one_line_in_the_backend_rolls_only_the_backend(first: Deployed, web: Web) -> None:
    """Only the backend is built, pushed and rolled; the frontend is fetched meanwhile; all other pods stay."""
    app = first.app
    before = {c: app.pods(c) for c in ("backend", "frontend", "postgres")}
    source = app.source / "backend/planera_backend/__init__.py"
    source.write_text(source.read_text() + "\n# one line more\n")
    commit = app.commit("one line")
    outcome = app.deploy("--shown=json")
    report = outcome.report()
    assert "pull frontend" in outcome.err
    assert "pull backend" not in outcome.err
    assert "frontend unchanged" in step(report, "build")["text"]
    assert "backend built" in step(report, "build")["text"]
    after = {c: app.pods(c) for c in before}
    assert after["frontend"] == before["frontend"]
    assert after["postgres"] == before["postgres"]
    assert not set(after["backend"]) & set(before["backend"])
    assert web.version(app.api, commit) == commit
    assert report["was"] == first.commit[:7]


def test_another_way_to_run_is_tried(first: Deployed) -> None:
    """With the same images and another setting, the smoke test runs them with that setting."""
    app = first.app
    app.edit("k8s/staging/kustomization.yaml", "LOG_LEVEL=debug", "LOG_LEVEL=warning")
    report = app.deployed()
    assert "backend unchanged" in step(report, "build")["text"]
    assert "test" not in [s["name"] for s in report["steps"]]
    assert any(
        "backend /health 200" in line for line in (step(report, "smoke")["text"], *step(report, "smoke")["details"])
    )


def test_dirty_tree_is_said(first: Deployed) -> None:
    """Uncommitted changes are named in the report and in the tag."""
    app = first.app
    (app.source / "frontend" / "README.md").write_text("not committed\n")
    report = app.deployed()
    assert "-dirty-" in report["version"]
    assert any("dirty" in note for note in report["notes"])
    assert registry.digest(app.repository("frontend"), f"staging-{report['version']}")


def test_status_and_verify_tell_what_runs(first: Deployed) -> None:
    """`status` and `verify` speak of the release that the last deployment recorded."""
    status = first.app.call("status", "--env=staging")
    assert status.code == 0, status.err
    assert "backend   1/1" in status.out
    assert "revision" in status.out
    verify = first.app.call("verify", "--env=staging")
    assert verify.code == 0, verify.err
    assert f"https://{first.app.host}" in verify.out


def test_plan_shows_what_would_change_and_changes_nothing(first: Deployed) -> None:
    """`plan` lists the changed fields, masks secrets, and leaves the cluster alone."""
    app = first.app
    app.edit("k8s/staging/kustomization.yaml", "namespace:", "# planned\nnamespace:")
    backend = app.get("deployments", "backend")[0]
    plan = app.call("plan", "--env=staging")
    assert plan.code == 0, plan.err
    assert "removed" in plan.out
    assert app.get("deployments", "backend")[0]["metadata"]["generation"] == backend["metadata"]["generation"]
