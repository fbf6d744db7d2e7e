"""Measures which lines of src/ the tests run: `python -m tests.covered CLONE -- make test`, in a clone that it changes.

The module's code runs in processes of pytest, in processes forked from those, and in the engine's containers. The first
two keep what they have run in a folder. The last send it: a container is gone when its call ends. What is killed tells
nothing.
"""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.e2e.paths import ROOT

_COVERAGE = "coverage==7.10.7"
_PLACE = ("10.99.0.1", 8999)
"""Where containers of the engine reach a process in the lab's network."""
_SENDS = '''\
"""Sends which lines this process has run."""

import atexit
import os
import tempfile
import urllib.request

import coverage

_file = os.path.join(tempfile.mkdtemp(), "data")
_seen = coverage.Coverage(data_file=_file, source_pkgs=["planera_ci"], config_file=False)
_seen.start()


def _send():
    _seen.stop()
    _seen.save()
    with open(_file, "rb") as data:
        urllib.request.urlopen("http://{}:{}/", data.read(), 10)


atexit.register(_send)
'''
_SETTINGS = """\
[run]
parallel = true
concurrency = multiprocessing,thread
data_file = {folder}/data
source_pkgs = planera_ci

[paths]
source =
    {clone}/src/planera_ci
    */src/planera_ci
"""
_STARTS = "import os; os.environ.get('COVERAGE_PROCESS_START') and __import__('coverage').process_startup()\n"


def changed(clone: Path) -> None:
    """Have the module of a clone, and the Python of its tests, tell what they run."""
    run = ["make", ".venv/bin/python"]
    subprocess.run(run, cwd=clone, check=True)
    python = clone / ".venv/bin/python"
    uv = clone / ".venv/bin/uv"
    subprocess.run([uv, "add", "-q", "--no-sync", _COVERAGE], cwd=clone, check=True)
    subprocess.run([python, "-m", "pip", "install", "-q", _COVERAGE], check=True)
    (clone / "src/planera_measured.py").write_text(_SENDS.format(*_PLACE))
    client = clone / "src/dagger_gen.py"
    client.write_text(f"import planera_measured\n{client.read_text()}")
    site = subprocess.run(
        [python, "-c", "import site; print(site.getsitepackages()[0])"], capture_output=True, text=True, check=True
    )
    (Path(site.stdout.strip()) / "measured.pth").write_text(_STARTS)


class _Received(http.server.BaseHTTPRequestHandler):
    """What a container sends when it ends."""

    folder: Path

    def do_POST(self) -> None:
        """Keep it beside what the tests' own processes have kept."""
        data = self.rfile.read(int(self.headers["Content-Length"]))
        with tempfile.NamedTemporaryFile(prefix="data.engine.", dir=self.folder, delete=False) as file:
            file.write(data)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def received(folder: str) -> None:
    """Receive until it is ended; called in the lab's network."""
    _Received.folder = Path(folder)
    http.server.ThreadingHTTPServer(_PLACE, _Received).serve_forever()


def measured(clone: Path, command: list[str]) -> int:
    """Run a command in a clone and print which lines of its src/ were run."""
    folder = Path(tempfile.mkdtemp(prefix="planera-covered-"))
    settings = folder / "settings"
    settings.write_text(_SETTINGS.format(folder=folder, clone=clone))
    netns = os.environ["KUBECONFIG"].replace("kubeconfig", "netns")
    receiver = ["nsenter", f"--net={netns}", sys.executable, "-m", "tests.covered", "--receive", str(folder)]
    with subprocess.Popen(receiver, cwd=ROOT) as process:
        try:
            done = subprocess.run(
                command, cwd=clone, env={**os.environ, "COVERAGE_PROCESS_START": str(settings)}, check=False
            )
        finally:
            process.terminate()
    tool = [clone / ".venv/bin/python", "-m", "coverage"]
    with_settings = [f"--rcfile={settings}"]
    subprocess.run([*tool, "combine", "-q", *with_settings, folder], cwd=clone, check=True)
    subprocess.run([*tool, "report", *with_settings, "--show-missing", "--skip-covered"], cwd=clone, check=True)
    return done.returncode


def main(words: list[str]) -> int:
    """Measure, or receive for who measures."""
    if words[:1] == ["--receive"]:
        received(words[1])
    clone, _, *command = words
    changed(Path(clone))
    return measured(Path(clone), command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
