"""Where a build comes from: the components' folders, and the commit that names their state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import dagger

from planera_ci.domain import gitobject
from planera_ci.domain.images import checked_commit, version_of
from planera_ci.errors import SourceError
from planera_ci.pipeline.content import content_of
from planera_ci.pipeline.failure import cause_of
from planera_ci.tasks import both, each

_GIT, _DIGITS = ".git", 40


@dataclass(frozen=True)
class Revision:
    """A state of the source: its commit, when it was made, and a hash if the tree is dirty."""

    commit: str
    created: str = ""
    dirty: str = ""
    url: str = ""

    @property
    def version(self) -> str:
        """Return the name of this state: the commit, marked if the tree is dirty."""
        return version_of(self.commit, self.dirty)


@dataclass(frozen=True)
class Source:
    """The application: a folder with a Dockerfile for each component."""

    directory: dagger.Directory
    git: dagger.GitRepository | None
    subfolder: str = ""
    fixed: str = ""
    """The commit that the folder is taken from; nothing where it is what lies in the working tree."""

    async def at(self, commit: str, left_out: list[str]) -> Source:
        """Return the source as a commit has it, whatever lies in the working tree."""
        act, sha = f"take the source at {commit}", checked_commit(commit, "--at")
        if len(sha) != _DIGITS:
            raise SourceError(act, "git gives a commit by all of its digits alone", "print them: git rev-parse COMMIT")
        git = await self._repository()
        if git is None:
            raise SourceError(act, "it holds no git repository of its own", "call it from a clone of the application")
        try:
            tree = git.commit(sha).tree(discard_git_dir=True)
            tree = await tree.filter(exclude=left_out, gitignore=True).sync()
        except dagger.QueryError as error:
            raise SourceError(act, cause_of(error), f"fetch it: git fetch origin {sha}") from error
        directory = tree.directory(self.subfolder) if self.subfolder else tree
        return Source(directory, git, self.subfolder, sha)

    async def setting(self, name: str) -> str | None:
        """Return the text of a file of the source, or nothing where it is not there."""
        if not await self.directory.exists(name):
            return None
        return await self.directory.file(name).contents()

    async def revision(self, commit: str = "", *, clean: bool = False) -> Revision:
        """Return the commit that was given, else the one that git names; `clean` refuses what git has not recorded."""
        git = await self._repository()
        if clean and git and not self.fixed:
            await self._refuse_dirty(git)
        if commit:
            return Revision(checked_commit(commit))
        if git and self.fixed:
            return await self._of(git.commit(self.fixed), git, self.fixed)
        if git is None:
            raise SourceError(
                "find the commit of the source",
                "it holds no git repository of its own",
                "pass --commit $(git rev-parse HEAD)",
            )
        return await self._from_git(git)

    async def _repository(self) -> dagger.GitRepository | None:
        """Return the git repository that the source is in, or nothing where there is none."""
        # a worktree's or submodule's .git is a file that leads outside
        if self.git or not await self.directory.exists(_GIT, expected_type=dagger.ExistsType.DIRECTORY_TYPE):
            return self.git
        return self.directory.as_git()

    async def _refuse_dirty(self, git: dagger.GitRepository) -> None:
        """Refuse a tree that differs from its commit anywhere: the manifests may be what differs."""
        paths = await _changed(git)
        if paths:
            seen = f"{paths[0]} and {len(paths) - 1} more" if len(paths) > 1 else paths[0]
            raise SourceError(
                "find the commit of the source",
                f"the tree is dirty, {seen} differ{'' if len(paths) > 1 else 's'} from the commit",
                "commit or stash it; nothing was touched",
            )

    async def tags(self, commit: str) -> tuple[str, ...]:
        """Return the names that git's tags give a commit."""
        git = await self._repository()
        if git is None:
            return ()
        try:
            names = await git.tags()
            commits = await each(names, lambda name: git.tag(name).commit())
        except dagger.QueryError as error:
            raise SourceError("read the tags of the source", cause_of(error), "repair the repository") from error
        return tuple(name for name, found in commits.items() if found.startswith(commit))

    async def _from_git(self, git: dagger.GitRepository) -> Revision:
        try:
            head = git.head()
            sha = await head.commit()
            dirty, revision = await both(partial(self._dirty, git), partial(self._of, head, git, sha))
        except dagger.QueryError as error:
            raise SourceError(
                "find the commit of the source", cause_of(error), "pass --commit $(git rev-parse HEAD)"
            ) from error
        return replace(revision, dirty=dirty)

    async def _of(self, ref: dagger.GitRef, git: dagger.GitRepository, sha: str) -> Revision:
        try:
            created, url = await both(partial(_created, ref, sha), git.url)
            return Revision(sha, created, url=url or "")
        except dagger.QueryError as error:
            raise SourceError(f"read commit {sha}", cause_of(error), "repair the repository") from error

    async def _dirty(self, git: dagger.GitRepository) -> str:
        """Return a hash of the content if files of the source differ from the commit."""
        paths = await _changed(git)
        prefix = f"{self.subfolder}/" if self.subfolder else ""
        if not any(path.startswith(prefix) and path != prefix for path in paths):
            return ""
        digest = await content_of(self.directory.without_directory(_GIT))
        return digest.rpartition(":")[2]

    def component(self, name: str) -> dagger.Directory:
        """Return a component's folder."""
        return self.directory.directory(name)

    async def check(self, names: tuple[str, ...]) -> None:
        """Refuse a component without a Dockerfile."""
        for name in names:
            if not await self.directory.exists(f"{name}/Dockerfile"):
                raise SourceError(
                    f"build {name}",
                    f"{name}/Dockerfile does not exist in the source",
                    "add it, or take the component out of the manifests",
                )


async def _changed(git: dagger.GitRepository) -> list[str]:
    """Return the files that differ from the commit."""
    changes = git.uncommitted()
    asked = (changes.added_paths, changes.modified_paths, changes.removed_paths)
    return [path for paths in (await each(asked, lambda ask: ask())).values() for path in paths]


async def _created(head: dagger.GitRef, sha: str) -> str:
    """Return the committer's date, read from the commit object of a checkout of depth one."""
    objects = head.tree(depth=1).directory(f"{_GIT}/objects")
    loose = f"{sha[:2]}/{sha[2:]}"
    if await objects.exists(loose):
        await objects.file(loose).export("/tmp/commit")  # noqa: S108 - the module's own container
    else:
        packs = await objects.glob("pack/*.pack")
        if not packs:
            return ""
        await objects.file(packs[0]).export("/tmp/commit")  # noqa: S108
    with open("/tmp/commit", "rb") as file:  # noqa: S108, PTH123, ASYNC230
        return gitobject.committed_at(file.read(1 << 20))
