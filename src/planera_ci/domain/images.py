"""Image references, the components that logical names stand for, and the tags of a release."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from planera_ci.errors import ConfigError, ManifestError

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_SHORT = 7


@dataclass(frozen=True)
class ImageRef:
    """A reference as the OCI distribution spec reads it: name, tag, digest."""

    name: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> ImageRef:
        """Split a reference; refuse an empty one."""
        rest, _, digest = text.partition("@")
        head, colon, tag = rest.rpartition(":")
        if not colon or "/" in tag:  # the colon was a port's, or there was none
            head, tag = rest, ""
        if not head or (digest and not digest.startswith("sha256:")):
            raise ManifestError(
                f'read image "{text}"',
                "it is no image reference",
                "write name[:tag][@sha256:…]",
            )
        return cls(head, tag, digest)

    def at(self, digest: str) -> ImageRef:
        """Return the same image pinned to a digest, its tag dropped."""
        return replace(self, tag="", digest=digest)

    def __str__(self) -> str:
        text = self.name
        text += f":{self.tag}" if self.tag else ""
        return text + (f"@{self.digest}" if self.digest else "")


def is_logical(image: str) -> bool:
    """Tell a component's logical name (`planera-backend`) from a real image reference."""
    return not any(mark in image for mark in "/:@")


def component_of(image: str, app: str) -> str:
    """Return the component that a logical image name stands for."""
    component = image.removeprefix(f"{app}-")
    if component == image or not _NAME.fullmatch(component):
        raise ManifestError(
            f'read image "{image}"',
            f"it has neither a tag nor the form {app}-COMPONENT",
            f"name it {app}-COMPONENT for a component of the source, or give a third-party image its tag",
        )
    return component


def checked_component(name: str) -> str:
    """Return a component's name; refuse what no folder of the source can be named."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f'read --component "{name}"', "it is no component", "give a folder's name, such as backend")
    return name


def repository(registry: str, owner: str, app: str, component: str) -> str:
    """Return where a component's images are published; the OCI spec wants lower case."""
    name = f"{registry}/{owner}/{app}-{component}".lower()
    if not all(_NAME.fullmatch(part) for part in name.split("/")[1:]):
        raise ConfigError(
            f'name repository "{name}"',
            "owner or name holds characters that a registry refuses",
            "use letters, digits and single . _ - between them",
        )
    return name


def short(commit: str) -> str:
    """Shorten a commit as people write it, keeping a dirty tree's mark."""
    head, mark, rest = commit.partition("-")
    return head[:_SHORT] + mark + rest


def checked_commit(commit: str, flag: str = "--commit") -> str:
    """Return the commit in lower case; refuse what cannot be one."""
    lower = commit.strip().lower()
    if not _COMMIT.fullmatch(lower):
        raise ConfigError(
            f'read {flag} "{commit}"',
            "it is not a commit",
            "give 7 to 64 hexadecimal digits, as `git rev-parse HEAD` prints them",
        )
    return lower


def version_of(commit: str, dirty: str = "") -> str:
    """Name a state of the source: its commit, and for a dirty tree a hash of its content."""
    return f"{commit}-dirty-{dirty[:_SHORT]}" if dirty else commit


def is_tag(name: str) -> bool:
    """Tell whether an image can have this tag (OCI distribution spec); names that git takes may have slashes."""
    return bool(_TAG.fullmatch(name))
