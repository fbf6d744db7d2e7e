"""What stands here for the actions that the workflows use; one that is not known is refused."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tests.workflows.github import SERVER
from tests.workflows.shell import git

if TYPE_CHECKING:
    from tests.workflows.runner import Runner


def used(action: str, given: Mapping[str, str], runner: Runner) -> str:
    """Do what an action does; return what it says if it fails."""
    assert action in _KNOWN, f"{action} is not known here"
    keys, act = _KNOWN[action]
    assert given.keys() <= keys, f"{action}: {sorted(given.keys() - keys)} is not known here"
    return act(given, runner)


def _checkout(given: Mapping[str, str], runner: Runner) -> str:
    """Fetch what the run is of, into a clone of its own: that one commit, unless more is asked for."""
    assert runner.rights.get("contents") == "read", "a job that checks out says `contents: read`"
    assert given.get("persist-credentials") == "false", "no step here needs the token that checkout leaves in .git"
    assert "fetch-tags" not in given, "fetch-depth: 0 has the tags, fetch-tags beside a depth may not"
    work, event, origin = runner.workspace, runner.event, runner.repository.folder
    git(origin, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(work, "init", "-q", "-b", "main")
    git(work, "remote", "add", "origin", origin.as_uri())
    sha = given.get("ref", event.sha)
    if given.get("fetch-depth", "1") == "0":
        everything = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
        git(work, "fetch", "-q", "--prune", "origin", *everything)
    else:
        git(work, "fetch", "-q", "--no-tags", "--prune", f"--depth={given.get('fetch-depth', 1)}", "origin", sha)
    branch = event.ref.startswith("refs/heads/") and "ref" not in given
    git(work, "checkout", "-q", "--force", *(("-B", event.ref_name) if branch else ("--detach",)), sha)
    git(work, "remote", "set-url", "origin", f"{SERVER}/{runner.repository.slug}")
    return ""


def _dagger(given: Mapping[str, str], runner: Runner) -> str:  # noqa: ARG001
    """Find the CLI that the lab has: the action installs none where the version that it is told is there."""
    said = subprocess.run(["dagger", "version"], capture_output=True, text=True, check=True).stdout
    there = said.split()[1]
    return "" if there == given["version"] else f"dagger is {there}, the workflow wants {given['version']}"


def _upload(given: Mapping[str, str], runner: Runner) -> str:
    """Copy a file, or what a folder holds, to where artifacts are kept."""
    assert int(given["retention-days"]) > 0
    path, target = Path(given["path"]), runner.seen.artifacts / given["name"]
    assert path.is_absolute(), f"{path} is a place of the workspace, where the next call would find it"
    assert not target.exists(), f"there is an artifact {given['name']} already"
    if not path.exists():
        return f"no files were found: {path}" if given["if-no-files-found"] == "error" else ""
    if path.is_dir():
        shutil.copytree(path, target)
    else:
        target.mkdir()
        shutil.copy2(path, target)
    return ""


_KNOWN: Mapping[str, tuple[set[str], Callable[[Mapping[str, str], Runner], str]]] = {
    "actions/checkout": ({"ref", "fetch-depth", "fetch-tags", "persist-credentials"}, _checkout),
    "dagger/dagger-for-github": ({"version"}, _dagger),
    "actions/upload-artifact": ({"name", "path", "if-no-files-found", "retention-days"}, _upload),
}
