"""An example that has its manifests and its planera.toml with it, as an application of one's own has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.e2e.harness import ROOT, App, copied, prepare


@dataclass(frozen=True)
class Example(App):
    """A copy of a folder of examples/ that no other test sees."""

    example: str

    @property
    def manifests(self) -> Path:
        return self.source / "k8s"

    @property
    def flags(self) -> tuple[str, ...]:
        """What planera.toml says is not said again."""
        return (f"--source={self.source}", f"--owner={self.name}", f"--kubeconfig=file://{self.kubeconfig}")

    def own_names(self) -> dict[str, str]:
        return {f"staging-{self.example}.planera.app": self.host, f"{self.example}-staging": self.namespace}


def make_example(example: str, name: str, folder: Path) -> Example:
    """Copy an example, and give it a namespace and a host of its own."""
    app = Example(name, folder, example)
    copied(ROOT / "examples" / example, app.source)
    prepare(app, "base", "staging", "access/staging")
    return app
