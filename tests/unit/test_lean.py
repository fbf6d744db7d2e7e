"""A second before the first request is a second that every call waits."""

from __future__ import annotations

import subprocess
import sys

_GENERATED = ("kubernetes.client.models.", "kubernetes.client.api.")
_SHOWN = """
import sys
import planera_ci.deployment
from planera_ci.cluster.lean import ApiClient, Configuration, kube_config

configuration = Configuration()
data = {
    "apiVersion": "v1", "kind": "Config", "current-context": "c",
    "clusters": [{"name": "k", "cluster": {"server": "https://k.example:6443"}}],
    "users": [{"name": "u", "user": {"token": "t"}}],
    "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
}
kube_config.load_kube_config_from_dict(data, client_configuration=configuration)
assert ApiClient(configuration).configuration.api_key == {"authorization": "Bearer t"}
print("\\n".join(sorted(sys.modules)))
"""
_ADDED = """
import dagger.mod.cli, sys
from dagger.client._guards import is_id_type_subclass
is_id_type_subclass(str)  # the SDK asks it for any module, and imports the last of beartype for it
print("\\n".join(sys.modules))
import planera_ci
print("---")
print("\\n".join(sys.modules))
"""


def test_deployment_reads_no_generated_model_and_a_kubeconfig_all_the_same() -> None:
    """What is left out costs more than all that is used."""
    done = subprocess.run([sys.executable, "-c", _SHOWN], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "kubernetes.client.api_client" in loaded
    assert not [name for name in loaded if name.startswith(_GENERATED)]


def test_start_of_the_module_reads_nothing_of_what_its_verbs_do() -> None:
    """Dagger starts it three times for a call, twice only to ask what it has and to make its object."""
    done = subprocess.run([sys.executable, "-c", _ADDED], capture_output=True, text=True, check=True)
    before, _, after = done.stdout.partition("---")
    added = {*after.split()} - {*before.split()}
    assert "planera_ci.main" in added
    assert {name.split(".")[0] for name in added} == {"planera_ci"}
    parts = ("pipeline", "cluster", "domain", "wiring", "verbs")
    assert not [name for name in added if name.split(".")[1:2] and name.split(".")[1] in parts]


def test_client_of_the_sdk_is_read_without_checks_at_run_time() -> None:
    """They cost a quarter of each start; what else the SDK checks it still does."""
    shown = "import dagger, sys; from dagger.client import gen, _guards; print('dagger_gen' in sys.modules,"
    shown += " dagger.Directory is gen.Directory, hasattr(dagger.Directory.file, '__wrapped__'), _guards.typecheck)"
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    own, same, checked, left = done.stdout.split(maxsplit=3)
    assert (own, same, checked) == ("True", "True", "False")
    assert "beartype" in left
