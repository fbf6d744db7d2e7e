"""What the pipeline reads from a Dockerfile: whether it has a stage of a name."""

from __future__ import annotations

import re

_CONTINUED = re.compile(r"\\[ \t]*\n")
_STAGE = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*\S+\s+AS\s+(\S+)\s*$", re.IGNORECASE)


def has_stage(text: str, name: str) -> bool:
    """Tell whether a stage of this name can be built; stage names ignore case."""
    stages = (match.group(1) for line in _CONTINUED.sub(" ", text).splitlines() if (match := _STAGE.match(line)))
    return any(stage.lower() == name.lower() for stage in stages)
