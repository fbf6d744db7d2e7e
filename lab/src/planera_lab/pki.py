"""Keys and certificates, made once per lab by openssl: one authority for names on the web, one for the cluster."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from planera_lab.command import output

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DAYS = "3650"


def authority(folder: Path, name: str, common_name: str) -> None:
    """Make a certificate authority NAME.crt, NAME.key, unless it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    if certificate.exists():
        return
    new_key(key)
    made = certificate.with_suffix(".new")
    extensions = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    request = ["openssl", "req", "-x509", "-new", "-days", DAYS, "-subj", f"/CN={common_name}", *extensions]
    output([*request, "-key", key, "-out", made])
    made.rename(certificate)


def issue(folder: Path, ca: str, name: str, subject: str, names: Sequence[str] = ()) -> None:
    """Make a certificate NAME.crt signed by an authority of the folder, unless it is there with these names."""
    certificate, key, wanted = folder / f"{name}.crt", folder / f"{name}.key", folder / f"{name}.ext"
    usage = "serverAuth,clientAuth" if names else "clientAuth"
    lines = ["keyUsage=critical,digitalSignature", f"extendedKeyUsage={usage}", "basicConstraints=critical,CA:FALSE"]
    if names:
        lines.append("subjectAltName=" + ",".join(("IP:" if _is_address(n) else "DNS:") + n for n in names))
    extensions = "\n".join(lines) + "\n"
    if certificate.exists() and wanted.exists() and wanted.read_text() == extensions:
        return
    new_key(key)
    request = folder / f"{name}.csr"
    wanted.write_text(extensions)
    output(["openssl", "req", "-new", "-key", key, "-subj", subject, "-out", request])
    signer: list[str | Path] = [
        "-CA",
        folder / f"{ca}.crt",
        "-CAkey",
        folder / f"{ca}.key",
        "-set_serial",
        str(secrets.randbits(63)),
    ]
    made = certificate.with_suffix(".new")
    output(["openssl", "x509", "-req", "-in", request, *signer, "-days", DAYS, "-extfile", wanted, "-out", made])
    made.rename(certificate)
    request.unlink()


def service_account_keys(folder: Path) -> None:
    """Make the pair with which the cluster signs the tokens of its service accounts."""
    private, public = folder / "sa.key", folder / "sa.pub"
    if not public.exists():
        new_key(private)
        made = public.with_suffix(".new")
        output(["openssl", "pkey", "-in", private, "-pubout", "-out", made])
        made.rename(public)


def password(file: Path) -> str:
    """Return the password kept in a file, made at the first call; only its owner can read it."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_private(file, secrets.token_urlsafe(24))
    return file.read_text()


def new_key(file: Path) -> None:
    """Make a private key that only its owner can read."""
    write_private(file, output(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]))


def write_private(file: Path, text: str) -> None:
    """Write a file that nobody else could read at any moment."""
    made = file.with_name(file.name + ".new")
    made.unlink(missing_ok=True)
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text)
    made.rename(file)


def _is_address(name: str) -> bool:
    return name.replace(".", "").isdigit()
