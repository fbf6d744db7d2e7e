"""What the pipeline has to know about an application that its manifests do not say; Planera's own are the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from planera_ci.domain.stages import STAGES, Stage

FILE = "planera.toml"
"""Where an application says otherwise: in the root of its source."""


@dataclass(frozen=True)
class Application:
    """Names, the folder of the manifests, and the environments by name."""

    name: str = "planera"
    owner: str = "planera"
    registry: str = "ghcr.io"
    user: str = "planera"
    manifests: str = "k8s"
    stages: Mapping[str, Stage] = field(default_factory=lambda: STAGES)
