"""The lab's mirror of public images, as somebody sees it who moves a tag there; reached inside the lab's network."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.e2e.harness import run

_ADDRESS = "http://10.99.0.3:5000"
_KIND = "application/vnd.oci.image.manifest.v1+json"
_MOVE = f"""
import json, sys, urllib.request
name, source, tag, note = sys.argv[1:]

def ask(method, tag, data=None):
    headers = {{"Accept": "{_KIND}", "Content-Type": "{_KIND}"}}
    request = urllib.request.Request("{_ADDRESS}/v2/" + name + "/manifests/" + tag, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.headers["Docker-Content-Digest"], answer.read()

manifest = json.loads(ask("GET", source)[1])
print(ask("PUT", tag, json.dumps({{**manifest, "annotations": {{"note": note}}}}).encode())[0])
"""


def moved(name: str, source: str, tag: str, note: str) -> str:
    """Have a tag name an image that is another one's twin but for a note, and so for its digest; return that."""
    space = Path(os.environ["KUBECONFIG"]).with_name("netns")
    return run(["nsenter", f"--net={space}", sys.executable, "-c", _MOVE, name, source, tag, note]).strip()
