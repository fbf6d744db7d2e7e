"""The environments that a release can be deployed to."""

from __future__ import annotations

import enum

import dagger


@dagger.enum_type
class Environment(enum.Enum):
    """An environment: a folder of the manifests and a namespace of the cluster."""

    STAGING = "staging"
    """Deployed on every push to main."""

    PRODUCTION = "production"
    """Gets what staging has verified, by hand."""


@dagger.enum_type
class Format(enum.Enum):
    """How a report is shown."""

    TEXT = "text"
    """For people."""

    JSON = "json"
    """For programs."""
