"""What a shell needs to use the lab, and the module's .env."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from planera_lab import builder, gobuilds, roles
from planera_lab.progress import say
from planera_lab.settings import REGISTRY_USER

if TYPE_CHECKING:
    from planera_lab.parts import Store
    from planera_lab.pins import Pins
    from planera_lab.settings import Lab

MARK = "# Written by lab/lab: values for the lab; delete this line to keep your own."


def variables(lab: Lab, pins: Pins, store: Store, path: str) -> dict[str, str]:
    """Environment variables of a shell that uses the lab."""
    programs = [store.path(gobuilds.dagger(pins)), store.path(gobuilds.kubernetes(pins))]
    own: dict[str, str] = {}
    if roles.running(lab, builder.NAME) is not None:
        programs.append(store.path(gobuilds.buildkit(pins)))
        own["BUILDKIT_HOST"] = f"unix://{lab.builder_socket}"
    return {
        "PATH": ":".join([*(str(folder) for folder in programs), path]),
        "_EXPERIMENTAL_DAGGER_RUNNER_HOST": f"unix://{lab.engine_socket}",
        "DAGGER_PROGRESS": "plain",
        "DAGGER_NO_NAG": "1",
        "DO_NOT_TRACK": "1",
        "NO_COLOR": "1",
        "KUBECONFIG": str(lab.kubeconfig),
        "LAB_CA": str(lab.ca),
        "LAB_LOGS": str(lab.logs),
        "LAB_REGISTRY": f"127.0.0.1:{lab.ports.registry}",
        "LAB_REGISTRY_USER": REGISTRY_USER,
        "LAB_REGISTRY_PASSWORD_FILE": str(lab.registry_password),
        "LAB_HTTP": f"127.0.0.1:{lab.ports.http}",
        "LAB_HTTPS": f"127.0.0.1:{lab.ports.https}",
        **own,
    }


def exports(values: dict[str, str]) -> str:
    """Lines to pass to a shell's eval."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in values.items())


def dotenv(lab: Lab) -> str:
    """Text of the module's .env: the arguments that a user of the lab need not give."""
    return "\n".join(
        [
            MARK,
            f"PLANERA_CI_KUBECONFIG=file://{lab.kubeconfig}",
            f"PLANERA_CI_CLUSTER=tcp://127.0.0.1:{lab.ports.api}",
            f"PLANERA_CI_USER={REGISTRY_USER}",
            f"PLANERA_CI_TOKEN=file://{lab.registry_password}",
            "",
        ]
    )


def write_dotenv(lab: Lab) -> None:
    """Write the module's .env, unless there is one that is the user's own or of another lab."""
    file = lab.repository / ".env"
    text = dotenv(lab)
    if not file.exists() or is_own(lab, file.read_text()):
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
        return
    say(f"keep {file}: it is not of this lab; `lab/lab env` shows what a shell needs instead")


def is_own(lab: Lab, text: str) -> bool:
    """Whether this lab wrote a .env, be it with other ports."""
    return text.startswith(MARK) and f"file://{lab.kubeconfig}\n" in text


def remove_dotenv(lab: Lab) -> None:
    """Remove the module's .env if the lab wrote it."""
    file = lab.repository / ".env"
    if file.exists() and is_own(lab, file.read_text()):
        file.unlink()
