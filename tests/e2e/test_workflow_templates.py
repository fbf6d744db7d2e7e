"""The templates, in the repository of an application of its own, run step by step as GitHub does."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.e2e import registry
from tests.e2e.harness import ROOT
from tests.e2e.shim import dagger_in_process
from tests.e2e.site import Site, app_site, leaked, listed_in
from tests.workflows.runner import Ran
from tests.workflows.shell import git

pytestmark = pytest.mark.usefixtures("quick")
_CALL = f"dagger -m {ROOT} call --source ."


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a repository with the application, its manifests, its planera.toml and the templates."""
    made = app_site(f"t{secrets.token_hex(3)}", tmp_path_factory.mktemp("site"))
    yield made
    made.remove()


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have the workflows call verbs without the CLI: that one reads the same words in tests/e2e/test_workflows.py."""
    with dagger_in_process(tmp_path_factory.mktemp("bin")):
        yield


@pytest.fixture(scope="module")
def staging(site: Site, quick: None) -> Ran:  # noqa: ARG001
    """Push the first commit to main."""
    return site.runs("staging.yml", site.push())


def test_push_deploys_to_staging(site: Site, staging: Ran) -> None:
    """Its owner, its environments and its manifests are what planera.toml says."""
    assert staging.state == "success", staging.log[-4000:]
    assert (staging.environment, staging.url) == ("staging", f"https://{site.host}")
    assert registry.digest(site.repository("backend"), "staging-latest") in staging.summary
    assert not listed_in(staging)


def test_production_gets_what_staging_has_verified(site: Site, staging: Ran) -> None:
    """An earlier commit by its name, while main is at another one."""
    verified = staging.outputs["ci"]["version"]
    site.commit("not in staging")
    seen = site.runs("production.yml", site.dispatch(confirm="deploy-to-production", release=verified))
    assert seen.state == "success", seen.log[-4000:]
    assert seen.outputs["ci"]["version"] == verified
    digests = [registry.digest(site.repository("frontend"), tag) for tag in ("latest", "staging-latest")]
    assert len(set(digests)) == 1
    assert not leaked(site, staging, seen)


def test_refused_promotion_says_what_to_type_in_this_repository(site: Site, staging: Ran) -> None:
    """The command begins with the words by which this application calls the module."""
    assert staging.state == "success"
    seen = site.runs("production.yml", site.dispatch(confirm="no"))
    assert (seen.state, seen.code) == ("failure", 1)
    assert f"{_CALL} --at {site.github().head} deploy --env production" in seen.summary


def test_rollback_without_an_earlier_release_is_refused(site: Site, staging: Ran) -> None:
    """There is nothing to put back, and nothing is touched."""
    assert staging.state == "success"
    seen = site.runs("rollback.yml", site.dispatch(environment="staging", to="7"))
    assert (seen.state, seen.code) == ("failure", 1)
    assert "there is no revision 7" in seen.summary
    assert listed_in(seen) == []


def test_backup_by_hand_is_an_artifact(site: Site, staging: Ran) -> None:
    """Of the environment that was chosen."""
    assert staging.state == "success"
    seen = site.runs("backup.yml", site.dispatch(environment="staging"))
    assert seen.state == "success", seen.log[-4000:]
    assert listed_in(seen) == ["backup-staging/backup.tar"]
    assert not leaked(site, seen)


def test_pull_request_is_tried_without_a_secret(site: Site) -> None:
    """Its tests, its build and its smoke test; nothing is published, the cluster is not asked."""
    git(site.folder, "checkout", "-q", "-b", "change")
    site.edit("backend/planera_backend/__main__.py", '"""Serve', '"""Really serve')
    site.commit("change")
    git(site.folder, "checkout", "-q", "main")
    seen = site.runs("pull-request.yml", site.proposal("change"))
    assert seen.state == "success", seen.log[-4000:]
    for step in ("test", "build", "smoke"):
        assert f"| {step} |" in seen.summary
    assert "publish" not in seen.summary
