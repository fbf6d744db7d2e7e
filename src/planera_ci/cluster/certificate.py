"""Read the certificates that hosts are served with, whether or not they are good: the rules judge them."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import anyio.to_thread

from planera_ci.cluster.client import Cluster
from planera_ci.cluster.verify import address_of
from planera_ci.domain.certificate import Certificate, Judgement, judged
from planera_ci.tasks import each

_PORT, _SECONDS, _TRIES = 443, 5.0, 3
_NO_CHECK_TIME = ssl.VerifyFlags(0x200000)
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which the standard library does not name: expired ones are read too."""


async def certificates(cluster: Cluster, hosts: Iterable[str], namespace: str) -> tuple[Judgement, ...]:
    """Judge the certificate that each host is served with; one that cannot be read is no reason to fail."""

    async def one(host: str) -> Judgement:
        address, _ = await address_of(cluster, host, namespace)
        found = await _certificate(host, address) if address else "it has no address"
        if isinstance(found, Certificate):
            return judged(host, found, cluster.now())
        return Judgement(f"certificate of {host}: could not be read: {found}")

    return tuple((await each(dict.fromkeys(hosts), one)).values())


async def _certificate(host: str, address: str) -> Certificate | str:
    # it may be renewed between the two handshakes: then the second is not served with what the first was
    seen = ""
    for _ in range(_TRIES):
        try:
            return await anyio.to_thread.run_sync(partial(_read, host, address), abandon_on_cancel=True)
        except OSError as error:
            seen = str(error) or type(error).__name__
    return seen


def _read(host: str, address: str) -> Certificate:
    """Take the certificate as it is, then once more as the only one that is trusted, which has Python read it."""
    blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    with _connected(blind, host, address) as tls:
        der = tls.getpeercert(binary_form=True) or b""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.load_verify_locations(cadata=der)
    trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    with _connected(trusting, host, address) as tls:
        fields: Mapping[str, Any] = tls.getpeercert() or {}
    return named_fields(fields, default=der == _default(blind, address))


def _default(blind: ssl.SSLContext, address: str) -> bytes | None:
    """Return what a controller serves to who names no host; a strict one serves nothing."""
    try:
        with _connected(blind, None, address) as tls:
            return tls.getpeercert(binary_form=True)
    except OSError:
        return None


@contextmanager
def _connected(context: ssl.SSLContext, host: str | None, address: str) -> Iterator[ssl.SSLSocket]:
    with (
        socket.create_connection((address, _PORT), _SECONDS) as raw,
        context.wrap_socket(raw, server_hostname=host) as tls,
    ):
        yield tls


def named_fields(fields: Mapping[str, Any], *, default: bool) -> Certificate:
    """Make a certificate of the fields that Python names."""
    return Certificate(
        subject=_named(fields.get("subject", ())),
        issuer=_named(fields.get("issuer", ())),
        names=tuple(str(value) for kind, value in fields.get("subjectAltName", ()) if kind == "DNS"),
        begins=float(ssl.cert_time_to_seconds(fields["notBefore"])),
        ends=float(ssl.cert_time_to_seconds(fields["notAfter"])),
        own=fields.get("issuer") == fields.get("subject"),
        default=default,
    )


def _named(parts: Iterable[Iterable[tuple[str, str]]]) -> str:
    """Return the common name, else the organisation, else the last part of a name."""
    found = {kind: value for part in parts for kind, value in part}
    return found.get("commonName") or found.get("organizationName") or next(reversed(found.values()), "")
