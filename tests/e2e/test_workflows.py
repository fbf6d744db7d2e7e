"""The workflows of this repository, run step by step as GitHub does, deploy its example to the lab."""

from __future__ import annotations

import io
import json
import secrets
import tarfile
from collections.abc import Iterator

import pytest

from tests.e2e import registry
from tests.e2e.harness import run
from tests.e2e.shim import dagger_in_process
from tests.e2e.site import Site, leaked, listed_in, own_site
from tests.workflows.runner import Ran
from tests.workflows.shell import git

pytestmark = pytest.mark.usefixtures("quick")
_FILE = "examples/planera/backend/planera_backend/__main__.py"
_FIRST = 'finish the requests under way."""\n'
_CRASH = f"""{_FIRST}    import os

    if {{}}:
        raise RuntimeError("no chair for me at this node")
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a copy of this repository, with a tag that names its first commit."""
    made = own_site(f"t{secrets.token_hex(3)}", tmp_path_factory.mktemp("site"))
    git(made.folder, "tag", "v7.8.9")
    yield made
    made.remove()


@pytest.fixture(scope="module")
def staging(site: Site) -> Ran:
    """Push the first commit to main."""
    return site.runs("staging.yml", site.push())


@pytest.fixture(scope="module")
def quick(staging: Ran, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:  # noqa: ARG001 - it is first
    """Have all workflows but the first call verbs without the CLI."""
    with dagger_in_process(tmp_path_factory.mktemp("bin")):
        yield


@pytest.fixture(scope="module")
def production(site: Site, staging: Ran, quick: None) -> Ran:  # noqa: ARG001
    """Promote what staging has verified, as somebody does who types the phrase."""
    assert staging.state == "success", staging.log[-4000:]
    return site.runs("production.yml", site.dispatch(confirm="deploy-to-production"))


@pytest.fixture(scope="module")
def failed(site: Site, production: Ran) -> Ran:
    """Deploy another good commit to staging, and push one that crashes where it runs in a cluster."""
    assert production.state == "success", production.log[-4000:]
    site.edit("k8s/staging/kustomization.yaml", "LOG_LEVEL=debug", "LOG_LEVEL=info")
    site.commit("quieter")
    second = site.runs("staging.yml", site.dispatch())
    assert second.state == "success", second.log[-4000:]
    _break(site, '"KUBERNETES_SERVICE_HOST" in os.environ')
    site.commit("crashes in a cluster")
    return site.runs("staging.yml", site.push())


def _break(site: Site, condition: str) -> None:
    """Have the backend end where it starts to serve, which its own tests do not come to."""
    site.edit(_FILE, _FIRST, _CRASH.format(condition))


def test_push_deploys_to_staging(site: Site, staging: Ran) -> None:
    """The job succeeds, the deployment has the environment's address, no evidence is kept."""
    assert staging.state == "success", staging.log[-4000:]
    assert (staging.environment, staging.url) == ("staging", f"https://{site.host}")
    outputs = {"outcome": "succeeded", "version": site.github().head[:7], "revision": "1", "url": staging.url}
    assert staging.outputs["ci"].items() >= outputs.items()
    assert not listed_in(staging)
    assert not staging.annotations


def test_summary_shows_steps_digests_and_addresses(site: Site, staging: Ran) -> None:
    """What a person looks for is on the run's page, and in its log for who reads that."""
    for step in ("test", "build", "smoke", "publish", "apply", "rollout", "verify"):
        assert f"| {step} |" in staging.summary, step
    for component in ("backend", "frontend"):
        digest = registry.digest(site.repository(component), "staging-latest")
        assert digest in staging.summary
        assert digest in staging.log
    assert f"<https://{site.host}>" in staging.summary
    assert "+ deployment/backend (create)" in staging.summary


def test_run_is_named_where_others_wait_for_it(site: Site, staging: Ran) -> None:
    """History says which run deployed: the page where its log is."""
    assert staging.state == "success"
    page = f"https://github.example/{site.name}/planera-ci/actions/runs/"
    assert [o for o in site.get("configmaps") if page in json.dumps(o)]


def test_pull_request_that_does_not_start_is_told(site: Site) -> None:
    """Its author reads which container failed, at which line, and how to get into it."""
    git(site.folder, "checkout", "-q", "-b", "change")
    _break(site, "os.environ")
    commit = site.commit("does not start")
    git(site.folder, "checkout", "-q", "main")
    seen = site.runs("checks.yml", site.proposal("change"), "smoke")
    assert (seen.state, seen.code, seen.environment) == ("failure", 1, "")
    assert "no chair for me at this node" in seen.summary
    assert f"dagger call --at {commit} smoke --env staging" in seen.summary
    assert f"dagger call --at {commit} inside --env staging --component backend terminal" in seen.summary
    (note,) = seen.annotations
    assert note.where["file"] == _FILE


def test_wrong_phrase_deploys_nothing(site: Site, staging: Ran) -> None:
    """It fails with the sentence that says what to type; production is as it was."""
    assert staging.state == "success"
    refused = site.runs("production.yml", site.dispatch(confirm="yes; $(id) `id`"))
    assert (refused.state, refused.code, refused.url) == ("failure", 1, "")
    assert [note.level for note in refused.annotations] == ["error"]
    assert "is not the phrase, nothing was touched" in refused.summary
    assert "uid=" not in refused.log
    assert not listed_in(refused)
    kinds = "deployments,statefulsets,jobs,services,secrets,leases"
    assert not run(["kubectl", "-n", site.production, "get", kinds, "-o", "name"])


def test_right_phrase_promotes_with_the_tags_of_git(site: Site, staging: Ran, production: Ran) -> None:
    """The checkout has the tags, so the images get them; the digests are those of staging."""
    assert production.state == "success", production.log[-4000:]
    assert (production.environment, production.url) == ("production", f"https://{site.name}-prod.planera.app")
    version = staging.outputs["ci"]["version"]
    for component in ("backend", "frontend"):
        tags = ("v7.8.9", "latest", version, f"staging-{version}")
        assert len({registry.digest(site.repository(component), tag) for tag in tags}) == 1


def test_failing_release_is_told_where_people_look(site: Site, failed: Ran) -> None:
    """Reason, log, rollback and the command that shows it again are in the summary; the line is annotated."""
    assert (failed.state, failed.code) == ("failure", 1)
    head = site.github().head
    for words in ("deployment/backend", "crash", "no chair for me at this node", "rolled back to revision 2"):
        assert words in failed.summary, words
    assert f"dagger call --owner {site.name} --at {head} deploy --env staging" in failed.summary
    (note,) = failed.annotations
    assert note.where["file"] == _FILE
    line = (site.folder / _FILE).read_text().splitlines()[int(note.where["line"]) - 1]
    assert "RuntimeError" in line
    assert failed.outputs["ci"]["outcome"] == "rolled back"


def test_evidence_of_a_failing_release_is_an_artifact(failed: Ran) -> None:
    """What `evidence` would give later, without access to the cluster."""
    assert {"verdict.txt", "timeline.txt", "events.txt", "plan.diff", "report.json"} <= set(
        failed.artifact("evidence-staging")
    )
    assert list(failed.steps)[-1] == "Keep the evidence"


def test_rollback_puts_the_release_before_back(site: Site, failed: Ran) -> None:
    """Revision 2 is what runs after the failure, so the one before it is the first."""
    assert failed.state == "failure"
    back = site.runs("rollback.yml", site.dispatch(environment="staging"))
    assert back.state == "success", back.log[-4000:]
    assert (back.environment, back.url) == ("staging", f"https://{site.host}")
    assert "revision 1 put back" in back.summary
    assert listed_in(back) == []


def test_call_that_cannot_begin_fails_the_job(site: Site, failed: Ran) -> None:
    """A revision that is no number is refused by the command line: no report, and no success."""
    assert failed.state == "failure"
    refused = site.runs("rollback.yml", site.dispatch(environment="staging", to="first"))
    assert refused.state == "failure"
    assert refused.code != 0
    assert (refused.summary, listed_in(refused)) == ("", [])
    assert "first" in refused.log


def test_nightly_backup_is_an_artifact(site: Site, production: Ran) -> None:
    """Without anybody's word production is backed up, from an environment that asks nobody."""
    assert production.state == "success"
    seen = site.runs("backup.yml", site.hour())
    assert seen.state == "success", seen.log[-4000:]
    assert seen.environment == "production-backup"
    assert listed_in(seen) == ["backup-production/backup.tar"]
    with tarfile.open(fileobj=io.BytesIO(seen.artifact("backup-production")["backup.tar"])) as archive:
        assert {"backup.json", "database.dump", "SHA256SUMS"} <= set(archive.getnames())


def test_no_secret_is_in_anything_that_a_run_leaves(site: Site, staging: Ran, production: Ran, failed: Ran) -> None:
    """Log, summary, outputs and artifacts hold neither a token of the cluster nor the registry's."""
    assert not leaked(site, staging, production, failed)
