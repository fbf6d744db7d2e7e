"""Where the lab lives and which ports it takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from planera_lab.errors import LabError
from planera_lab.settings import LONGEST_HOME, Lab, Ports


def test_defaults_are_below_the_cache_folder() -> None:
    lab = Lab.from_environment({"HOME": "/home/ada"})
    assert lab.home == Path("/home/ada/.cache/planera-lab")
    assert lab.parts == lab.home / "parts"
    assert lab.ports == Ports(6443, 8080, 8443, 5443)


@pytest.mark.parametrize(
    ("environment", "home", "cache"),
    [
        ({"XDG_CACHE_HOME": "/x"}, "/x/planera-lab", "/x/planera-lab"),
        ({"XDG_CACHE_HOME": "/x", "LAB_HOME": "/lab"}, "/lab", "/lab"),
        ({"LAB_HOME": "/lab", "LAB_CACHE": "/parts"}, "/lab", "/parts"),
    ],
)
def test_environment_chooses_the_folders(environment: dict[str, str], home: str, cache: str) -> None:
    lab = Lab.from_environment(environment)
    assert (str(lab.home), str(lab.cache)) == (home, cache)


def test_environment_overrides_one_port() -> None:
    assert Ports.from_environment({"LAB_HTTP_PORT": "80"}) == Ports(http=80)


@pytest.mark.parametrize("text", ["0", "65536", "-1", "http", "80.5"])
def test_what_is_no_port_is_named(text: str) -> None:
    with pytest.raises(LabError, match=r"LAB_API_PORT: .* is no port"):
        Ports.from_environment({"LAB_API_PORT": text})


def test_two_ports_cannot_be_the_same() -> None:
    with pytest.raises(LabError, match="two are the same"):
        Ports.from_environment({"LAB_HTTP_PORT": "6443"})


@pytest.mark.parametrize("home", ["/a:b", "/a,b", "/a b", "/" + "x" * LONGEST_HOME])
def test_a_home_that_cannot_hold_a_lab_is_refused(home: str) -> None:
    """Overlay options end at a comma or colon, and a socket's path has an end."""
    with pytest.raises(LabError, match="cannot hold a lab"):
        Lab.from_environment({"LAB_HOME": home})


def test_the_longest_home_has_room_for_the_socket() -> None:
    lab = Lab.from_environment({"LAB_HOME": "/" + "x" * (LONGEST_HOME - 1)})
    assert max(len(str(socket)) for socket in (lab.engine_socket, lab.builder_socket)) < 108


def test_two_homes_are_two_labs() -> None:
    first, second = (Lab.from_environment({"LAB_HOME": home}).identity for home in ("/one", "/two"))
    assert first != second
    assert first.startswith("planera-lab-")
