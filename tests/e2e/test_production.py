"""Production gets what staging has verified, digest by digest, and only where a person means it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e import registry
from tests.e2e.harness import App, Outcome, admit, run
from tests.e2e.mirror import moved
from tests.e2e.objects import listed

COMPONENTS = ("backend", "frontend")
_POSTGRES = "library/postgres"
PHRASE = "--confirm=deploy-to-production"


@dataclass
class Verified:
    """An application whose staging runs a tagged commit, verified."""

    app: App
    commit: str

    def call(self, *words: str) -> Outcome:
        """Call a verb as production's deployer."""
        return self.app.call(*words, flags=(f"--kubeconfig=file://{self.app.folder}/production.kubeconfig",))

    def deploy(self, *words: str) -> Outcome:
        """Deploy to production."""
        return self.call("deploy", "--env=production", *words)

    def running(self) -> dict[str, tuple[int, str]]:
        """Return each component's pods in production: how many, and their one image id."""
        found = {}
        for component in COMPONENTS:
            found_pods = listed(self.app.production, "pods", selector=f"app.kubernetes.io/name={component}")
            pods = [pod for pod in found_pods if not pod["metadata"].get("deletionTimestamp")]
            (image,) = {pod["status"]["containerStatuses"][0]["imageID"].rpartition("@")[2] for pod in pods}
            found[component] = (len(pods), image)
        return found


@pytest.fixture(scope="module")
def verified(make: Callable[[], App]) -> Verified:
    """Deploy a commit with two tags to staging, and let somebody deploy to production."""
    app = make()
    for file in (app.manifests / "base").glob("*.yaml"):
        file.write_text(file.read_text().replace("image: postgres:17", f"image: postgres:{app.name}"))
    moved(_POSTGRES, "17", app.name, "as staging has it")
    commit = app.commit("to promote")
    run(["git", "tag", "v1.2.0"], app.source)
    run(["git", "-c", "user.name=t", "-c", "user.email=t@e", "tag", "-a", "-m", "said", "v1.2.1"], app.source)
    app.deployed()
    admit(app.manifests / "access/production", app.folder / "production.kubeconfig")
    return Verified(app, commit)


@pytest.fixture(scope="module")
def promoted(verified: Verified) -> dict[str, Any]:
    """Deploy it to production, and return the report."""
    moved(_POSTGRES, "17", verified.app.name, "newer")
    uploads = registry.uploads(verified.app.name)
    report = verified.deploy(PHRASE, "--shown=json").report()
    assert registry.uploads(verified.app.name) == uploads, "nothing is pushed"
    return report


@pytest.mark.parametrize("given", ["", "--confirm=yes"], ids=["none", "another"])
def test_without_the_phrase_nothing_is_touched(verified: Verified, given: str) -> None:
    """The message shows the command to type."""
    before = registry.tags(verified.app.repository("backend"))
    everything = ["kubectl", "-n", verified.app.production, "get", "all,configmaps,secrets,leases", "-o", "name"]
    there = run(everything)
    outcome = verified.deploy(*filter(None, [given]))
    assert outcome.code != 0
    assert "Type: dagger call deploy --env production --confirm deploy-to-production" in outcome.message
    assert registry.tags(verified.app.repository("backend")) == before
    assert run(everything) == there


def test_dirty_tree_does_not_reach_production(verified: Verified) -> None:
    """What git has not recorded could not be found again."""
    file = verified.app.source / "backend/planera_backend/api.py"
    clean = file.read_text()
    try:
        file.write_text(clean + "# changed\n")
        outcome = verified.deploy(PHRASE)
    finally:
        file.write_text(clean)
    assert outcome.code != 0
    assert "the tree is dirty, backend/planera_backend/api.py differs from the commit" in outcome.message


def test_release_that_staging_has_not_verified_is_refused(verified: Verified) -> None:
    """The message names the release, and the way."""
    outcome = verified.deploy(PHRASE, "--release=0123abc")
    assert outcome.code != 0
    assert "staging has verified no release 0123abc, nothing was touched" in outcome.message
    assert "dagger call deploy --env staging" in outcome.message


def test_nothing_is_published_for_production(verified: Verified) -> None:
    """Images get there by promotion."""
    outcome = verified.call("publish", "--env=production")
    assert outcome.code != 0
    assert "it gets what staging has verified, nothing is built for it" in outcome.message


@pytest.mark.parametrize(("named", "index"), [("git", False), ("commit", True)], ids=["an image", "an index"])
def test_tag_that_names_another_image_is_not_moved(verified: Verified, named: str, *, index: bool) -> None:
    """A tag of git or the commit's own, once given to something, stays with it; nothing is deployed."""
    repository, tag = verified.app.repository("backend"), "v1.2.0" if named == "git" else verified.commit[:7]
    taken = registry.plant(repository, tag, index=index)
    outcome = verified.deploy(PHRASE)
    assert outcome.code != 0
    assert f"planera-backend:{tag} exists and is {taken}" in outcome.message
    assert registry.digest(repository, tag) == taken
    registry.remove(repository, taken)


def test_the_same_digests_run_in_production(verified: Verified, promoted: dict[str, Any]) -> None:
    """Two replicas each, of what staging has verified; the report says which release that is."""
    steps = {step["name"]: "\n".join([step["text"], *step["details"]]) for step in promoted["steps"]}
    assert set(steps) == {"promote", "backup", "apply", "rollout", "verify", "tag"}
    assert steps["backup"] == f"none: namespace {verified.app.production} has no CronJob backup yet"
    assert f"{verified.commit[:7]}, verified in staging" in steps["promote"]
    for component, (count, image) in verified.running().items():
        assert count == 2
        assert image == registry.digest(verified.app.repository(component), f"staging-{verified.commit[:7]}")
        assert image in steps["promote"]


def test_database_is_the_one_that_staging_ran(verified: Verified, promoted: dict[str, Any]) -> None:  # noqa: ARG001
    """Its tag names another image since; production gets what was verified with the release."""
    images = {
        listed(namespace, "pods", names=["postgres-0"])[0]["spec"]["containers"][0]["image"]
        for namespace in (verified.app.namespace, verified.app.production)
    }
    assert len(images) == 1, images


def test_images_have_the_tags_of_production(verified: Verified, promoted: dict[str, Any]) -> None:
    """The commit, what git calls it, and the one that moves, which is given when the release is verified."""
    for component in COMPONENTS:
        repository = verified.app.repository(component)
        names = ("latest", verified.commit[:7], "v1.2.0", "v1.2.1", f"staging-{verified.commit[:7]}-verified")
        assert len({registry.digest(repository, name) for name in names}) == 1
    assert promoted["outcome"] == "succeeded"


def test_production_is_sized_as_its_overlay_says(verified: Verified, promoted: dict[str, Any]) -> None:  # noqa: ARG001
    """One database with its bigger volume, hosts of its own, no debug log."""
    items = listed(verified.app.production, "statefulset,persistentvolumeclaim,ingress,configmap")
    claims = {o["metadata"]["name"]: o["spec"]["resources"]["requests"]["storage"] for o in items if _is(o, "Persis")}
    assert claims["data-postgres-0"] == "20Gi"
    assert claims["planera-backups"] == "60Gi"
    assert [o["spec"]["replicas"] for o in items if _is(o, "Stateful")] == [1]
    hosts = {rule["host"] for o in items if _is(o, "Ingress") for rule in o["spec"]["rules"]}
    assert hosts == {f"{verified.app.name}-prod.planera.app", f"{verified.app.name}-prod-api.planera.app"}
    assert {o["data"]["LOG_LEVEL"] for o in items if "LOG_LEVEL" in (o.get("data") or {})} == {"info"}


def test_verbs_that_look_speak_of_production(verified: Verified, promoted: dict[str, Any]) -> None:  # noqa: ARG001
    """What runs is proven and logged there, and what runs already would change nothing."""
    planned = verified.call("plan", "--env=production")
    assert planned.out.strip().endswith("0 removed"), planned.err[-2000:]
    assert planned.out.strip().startswith("0 changed, ")
    proven = verified.call("verify", "--env=production")
    assert f"https://{verified.app.name}-prod.planera.app" in proven.out, proven.err[-2000:]
    said = verified.call("logs", "--env=production", "--component=backend", "--lines=1")
    assert said.out.count("==> backend-") == 2, said.err[-2000:]


def test_earlier_release_can_be_named(verified: Verified, promoted: dict[str, Any]) -> None:  # noqa: ARG001
    """A commit that only staging's history has is promoted as well as the one that is checked out."""
    verified.app.commit("after it")
    outcome = verified.deploy(PHRASE, f"--release={verified.commit[:7]}", "--shown=json")
    assert outcome.code == 0, outcome.err[-3000:]
    assert json.loads(outcome.out)["version"] == verified.commit[:7]


def test_nothing_is_migrated_where_no_backup_can_be_made(verified: Verified, promoted: dict[str, Any]) -> None:  # noqa: ARG001
    """The backup's log says why; the migration Job is the one from before, and the good release is back."""
    verified.app.edit("app/backend/planera_backend/migrate.py", '"""', '"""Not to be run yet. ')
    verified.app.commit("would migrate")
    verified.app.deployed()
    mine = ["kubectl", "-n", verified.app.production]
    migrated = run([*mine, "get", "job", "migrate", "-o", "jsonpath={.metadata.uid}"])
    broken = "echo 'no room for a backup' >&2; exit 1"
    path = "/spec/jobTemplate/spec"
    patch = [
        {"op": "add", "path": f"{path}/template/spec/containers/0/command", "value": ["sh", "-c", broken]},
        {"op": "add", "path": f"{path}/backoffLimit", "value": 0},
    ]
    run([*mine, "patch", "cronjob", "backup", "--type=json", "-p", json.dumps(patch)])
    outcome = verified.deploy(PHRASE)
    assert outcome.code != 0
    assert "nothing was migrated, for no backup could be made" in outcome.message
    assert "no room for a backup" in outcome.message
    assert "Rolled back to revision" in outcome.message
    assert run([*mine, "get", "job", "migrate", "-o", "jsonpath={.metadata.uid}"]) == migrated


def test_database_is_backed_up_before_it_is_migrated(verified: Verified, promoted: dict[str, Any]) -> None:  # noqa: ARG001
    """A release whose migration Job is another one has the backup made first, by the release that runs."""
    verified.app.edit("app/backend/planera_backend/migrate.py", '"""', '"""Changed. ')
    verified.app.commit("migrates")
    verified.app.deployed()
    outcome = verified.deploy(PHRASE, "--shown=json")
    assert outcome.code == 0, outcome.err[-3000:]
    steps = {step["name"]: step["text"] for step in json.loads(outcome.out)["steps"]}
    assert "kept deploy-" in steps["backup"]


def _is(obj: dict[str, Any], kind: str) -> bool:
    return str(obj["kind"]).startswith(kind)
