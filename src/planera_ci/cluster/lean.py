"""The Kubernetes client without its models: a second less before the first request.

The package's own import reads some 700 modules of generated models and API classes. Objects are plain
JSON here, so of all that the client's transport is used alone, and its reading of a kubeconfig.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType


def _hollow(name: str) -> ModuleType:
    """Put a package in place that finds its modules, but reads none by itself; leave one that is there already."""
    if name not in sys.modules:
        spec = find_spec(name)
        package = ModuleType(name)
        package.__path__ = list(spec.submodule_search_locations or ()) if spec else []
        package.__spec__ = spec
        sys.modules[name] = package
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, package)
    return sys.modules[name]


_hollow("kubernetes")
_client = _hollow("kubernetes.client")
_hollow("kubernetes.client.models")

from kubernetes.client.api_client import ApiClient  # noqa: E402
from kubernetes.client.configuration import Configuration  # noqa: E402
from kubernetes.client.exceptions import ApiException  # noqa: E402

# What reads a kubeconfig takes these two from the package.
_client.ApiClient, _client.Configuration = ApiClient, Configuration  # type: ignore[attr-defined]

from kubernetes import config as kube_config  # noqa: E402
from kubernetes.stream.ws_client import create_websocket  # noqa: E402

__all__ = ["ApiClient", "ApiException", "Configuration", "create_websocket", "kube_config"]
