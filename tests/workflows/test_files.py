"""What must be true of every workflow and template, as they are written; no lab is needed."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from typing import Any

import pytest

from planera_ci.domain.stages import STAGES
from tests.workflows.expressions import places
from tests.workflows.workflow import OWN, ROOT, TEMPLATES, Workflow, workflows

_OWN, _TEMPLATES = workflows(OWN), workflows(TEMPLATES)
_ALL = {
    f"{kind}-{workflow.path.stem}": workflow
    for kind, found in (("own", _OWN), ("template", _TEMPLATES))
    for workflow in found.values()
}
EVERY = [pytest.param(workflow, id=name) for name, workflow in _ALL.items()]
JOBS = [pytest.param(workflow, job, id=f"{name}-{job}") for name, workflow in _ALL.items() for job in workflow.jobs]
ENGINE = json.loads((ROOT / "dagger.json").read_text())["engineVersion"]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
MODULE = f"github.com/OWNER/planera-ci@v{VERSION}"

RIGHTS = {"staging.yml": {"packages": "write"}, "production.yml": {"packages": "write"}}
"""What a workflow's token may besides reading the repository: whoever publishes or tags images writes packages."""
RESULT = (
    'cd "$RUNNER_TEMP/job"\n'
    "cat report.txt annotations\n"
    'cat summary.md >> "$GITHUB_STEP_SUMMARY"\n'
    'cat outputs >> "$GITHUB_OUTPUT"\n'
    'exit "$(cat code)"\n'
)


def test_both_sets_are_there() -> None:
    """The tests below look at something, and every template has a workflow that it is like."""
    assert set(_OWN) == {"staging.yml", "production.yml", "checks.yml", "rollback.yml", "backup.yml"}
    assert set(_TEMPLATES) == {"staging.yml", "production.yml", "pull-request.yml", "rollback.yml", "backup.yml"}
    assert len(JOBS) == len(EVERY) + 1


@pytest.mark.parametrize("workflow", EVERY)
def test_every_action_is_pinned_by_commit_with_its_version(workflow: Workflow) -> None:
    """A tag can be moved to other code, a commit cannot; the comment is for people and for updating tools."""
    uses = list(workflow.uses())
    assert len(uses) == sum("uses" in step for step in workflow.steps())
    for use in uses:
        assert re.fullmatch(r"[0-9a-f]{40}", use.pin), use
        assert re.fullmatch(r"v\d+\.\d+\.\d+", use.comment), use


def test_an_action_has_one_pin() -> None:
    """All files use the same commit of an action, so that an update leaves none behind."""
    pins: dict[str, set[tuple[str, str]]] = {}
    for workflow in _ALL.values():
        for use in workflow.uses():
            pins.setdefault(use.action, set()).add((use.pin, use.comment))
    assert {len(found) for found in pins.values()} == {1}
    assert set(pins) == {"actions/checkout", "actions/upload-artifact", "dagger/dagger-for-github"}


@pytest.mark.parametrize("workflow", EVERY)
def test_command_line_is_of_the_engines_version(workflow: Workflow) -> None:
    """Command line and module belong together: dagger.json says which version."""
    versions = [s["with"] for s in workflow.steps() if s.get("uses", "").startswith("dagger/")]
    assert versions == [{"version": ENGINE}] * len(workflow.jobs)


@pytest.mark.parametrize(("workflow", "job"), JOBS)
def test_job_may_no_more_than_it_needs(workflow: Workflow, job: str) -> None:
    """The workflow grants nothing, each job says what it needs."""
    assert workflow.data["permissions"] == {}
    assert workflow.jobs[job]["permissions"] == {"contents": "read", **RIGHTS.get(workflow.path.name, {})}


@pytest.mark.parametrize(("workflow", "job"), JOBS)
def test_job_ends(workflow: Workflow, job: str) -> None:
    """Nothing runs for the six hours that GitHub gives it, on an image that changes by itself."""
    assert 0 < workflow.jobs[job]["timeout-minutes"] <= 60
    assert re.fullmatch(r"ubuntu-\d+\.\d+", workflow.jobs[job]["runs-on"])


@pytest.mark.parametrize("workflow", EVERY)
def test_no_expression_stands_in_a_script(workflow: Workflow) -> None:
    """What somebody typed, or named a branch, would be run as a part of it; it comes through the environment."""
    for script in workflow.runs():
        assert not list(places(script))
        assert "${{" not in script
    assert all("${{" not in str(step["with"].get("args", "")) for step in workflow.steps() if "with" in step)


@pytest.mark.parametrize("workflow", EVERY)
def test_variables_of_a_script_are_quoted(workflow: Workflow) -> None:
    """An input with a space or a star in it stays one word; CALL alone is several."""
    for script in workflow.runs():
        bare = re.sub(r'"[^"]*"', "", script)
        assert set(re.findall(r"\$\w+", bare)) <= {"$CALL"}, script


@pytest.mark.parametrize("workflow", EVERY)
def test_script_is_one_call_and_its_result(workflow: Workflow) -> None:
    """The pipeline is the module's; what a file like this has to do is to start it and to show what came out."""
    scripts = list(workflow.runs())
    assert len(scripts) == len(workflow.jobs)
    for script in scripts:
        call, _, result = script.replace(" \\\n ", "").partition("\n")
        assert result == RESULT
        assert re.match(r"(dagger call|\$CALL) ", call), call
        assert call.endswith(' -o "$RUNNER_TEMP/job"'), call
    assert workflow.data["defaults"] == {"run": {"shell": "bash"}}


@pytest.mark.parametrize("workflow", EVERY)
def test_what_somebody_typed_cannot_become_a_flag(workflow: Workflow) -> None:
    """An input is passed as --flag="$INPUT": one that begins with a hyphen is still its value."""
    for step in workflow.steps():
        typed = {name for name, said in step.get("env", {}).items() if str(said).startswith("${{ inputs.")}
        for name in typed:
            assert re.search(rf'--[a-z]+="\${name}"', step["run"]), name


@pytest.mark.parametrize("workflow", EVERY)
def test_no_pull_request_is_trusted(workflow: Workflow) -> None:
    """What a stranger proposes runs without a secret and without a right; pull_request_target would give it both."""
    assert set(workflow.triggers) <= {"push", "workflow_dispatch", "pull_request", "schedule"}
    if "pull_request" in workflow.triggers:
        assert set(workflow.triggers) == {"pull_request"}
        assert not [place for place in places(workflow.data) if "secrets" in place or "token" in place]
        assert not [job for job in workflow.jobs.values() if "environment" in job]


@pytest.mark.parametrize("workflow", EVERY)
def test_run_that_changes_an_environment_is_never_cancelled(workflow: Workflow) -> None:
    """Each has a group for each environment; a rollback's is its own; only checks make way for newer ones."""
    concurrency = workflow.data["concurrency"]
    if "pull_request" in workflow.triggers:
        assert concurrency == {"group": f"{workflow.name}-${{{{ github.ref }}}}", "cancel-in-progress": True}
        return
    groups = {
        "staging": "deploy-staging",
        "production": "deploy-production",
        "rollback": "rollback-${{ inputs.environment }}",
        "backup": "backup-${{ inputs.environment || 'production' }}",
    }
    assert concurrency == {"group": groups[workflow.name], "cancel-in-progress": False}


@pytest.mark.parametrize(("workflow", "job"), JOBS)
def test_secrets_come_from_the_environment_that_is_changed(workflow: Workflow, job: str) -> None:
    """Its reviewers stand before its kubeconfig; the deployment's address is what the module says."""
    spec = workflow.jobs[job]
    names = {
        "staging": "staging",
        "production": "production",
        "rollback": "${{ inputs.environment }}",
        "backup": "${{ inputs.environment || 'production' }}-backup",
    }
    place = spec.get("environment", {})
    place = {"name": place} if isinstance(place, str) else place
    assert place.get("name") == names.get(workflow.name)
    assert place.get("url") == ("${{ steps.ci.outputs.url }}" if workflow.name in {*names} - {"backup"} else None)
    used = {place for step in spec["steps"] for place in places(step.get("env", {})) if "secrets" in place}
    assert used <= {"secrets.KUBECONFIG", "secrets.GHCR_TOKEN || github.token"}


@pytest.mark.parametrize(("workflow", "job"), JOBS)
def test_evidence_of_a_failure_is_kept(workflow: Workflow, job: str) -> None:
    """Where the module saves what was seen, it becomes an artifact; a backup that is not there is a failure."""
    kept = [s for s in workflow.jobs[job]["steps"] if s.get("uses", "").startswith("actions/upload-artifact@")]
    conditions = [(step.get("if"), step["with"]["if-no-files-found"]) for step in kept]
    expected = {"backup": [(None, "error")], "checks": []}
    assert conditions == expected.get(job, [("failure()", "ignore")])


def test_phrase_is_the_one_that_the_module_wants() -> None:
    """What the form asks for is what production's stage asks for."""
    phrase = STAGES["production"].phrase
    for found in (_OWN, _TEMPLATES):
        assert found["production.yml"].inputs["confirm"]["description"] == f"Type {phrase}"


@pytest.mark.parametrize("name", _TEMPLATES)
def test_template_is_like_the_workflow_here(name: str) -> None:
    """They differ in the words of a call and in nothing else: who maintains one maintains the other."""
    template = _without_words(_TEMPLATES[name].data)
    own = _without_words(_OWN["checks.yml" if name == "pull-request.yml" else name].data)
    if name == "pull-request.yml":
        del own["jobs"]["checks"]
        own = _changed(own, lambda text: text.replace("checks", "pull-request"))
    assert template.pop("env") == {"CALL": f"dagger -m {MODULE} call --source ."}
    assert template == own


def test_template_names_the_version_that_it_is_of() -> None:
    """One reference of the module in all templates, with the words from which a failure is reproduced."""
    for workflow in _TEMPLATES.values():
        assert workflow.text.count("planera-ci@") == 1
        assert all(' --again "$CALL"' in script for script in workflow.runs())


def _without_words(data: dict[str, Any]) -> dict[str, Any]:
    """Return a workflow without what its calls begin with."""

    def plain(text: str) -> str:
        text = re.sub(r" \\\n\s*", " ", text).replace(' --again "$CALL"', "")
        return text.replace("$CALL", "dagger call").replace(' --owner "$GITHUB_REPOSITORY_OWNER"', "")

    return dict(_changed(data, plain))


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _changed(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_changed(item, change) for item in value]
    return change(value) if isinstance(value, str) else value
