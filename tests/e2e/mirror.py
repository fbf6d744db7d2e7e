"""The lab's mirror of public images, as somebody sees it who moves a tag there; reached inside the lab's network."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.e2e.harness import run

_ADDRESS = "http://10.99.0.3:5000"
_KIND = "application/vnd.oci.image.manifest.v1+json"
# Another configuration makes it another image: of two manifests with one, a node reports whichever it likes.
_MOVE = f"""
import hashlib, json, sys, urllib.request
name, source, tag, note = sys.argv[1:]

def ask(method, path, data=None, kind="{_KIND}"):
    url = path if path.startswith("http") else "{_ADDRESS}/v2/" + name + path
    request = urllib.request.Request(url, data, {{"Accept": "{_KIND}", "Content-Type": kind}}, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.headers, answer.read()

manifest = json.loads(ask("GET", "/manifests/" + source)[1])
config = json.loads(ask("GET", "/blobs/" + manifest["config"]["digest"])[1])
config["config"]["Labels"] = {{**(config["config"].get("Labels") or {{}}), "note": note}}
blob = json.dumps(config).encode()
digest = "sha256:" + hashlib.sha256(blob).hexdigest()
where = ask("POST", "/blobs/uploads/", b"")[0]["Location"]
ask("PUT", where + ("&" if "?" in where else "?") + "digest=" + digest, blob, "application/octet-stream")
manifest["config"] |= {{"digest": digest, "size": len(blob)}}
print(ask("PUT", "/manifests/" + tag, json.dumps(manifest).encode())[0]["Docker-Content-Digest"])
"""


def moved(name: str, source: str, tag: str, note: str) -> str:
    """Have a tag name an image that does what another one does, and has another digest; return that."""
    space = Path(os.environ["KUBECONFIG"]).with_name("netns")
    return run(["nsenter", f"--net={space}", sys.executable, "-c", _MOVE, name, source, tag, note]).strip()
