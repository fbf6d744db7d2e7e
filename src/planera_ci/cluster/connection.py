"""Open a cluster from a kubeconfig, and say what an API server's refusal means."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import yaml

from planera_ci.cluster.lean import ApiClient, ApiException, Configuration, kube_config
from planera_ci.domain.kubeconfig import end_of
from planera_ci.domain.moments import stamp
from planera_ci.errors import AccessDenied, ClusterError, ConfigError, Conflict, NotFound, Rejected, Unreachable

_UNAUTHORIZED, _FORBIDDEN = 401, 403
_PLAIN = {404: NotFound, 409: Conflict}
_TOO_MANY, _SERVER_ERROR = 429, 500
# With status 500, for an object that does not fit its schema (server-side apply).
_UNTYPED = "failed to create typed patch object"
# How the authorizer words a refusal; an admission webhook words its own.
_RIGHT = re.compile(r'User "[^"]*" cannot ')


def refusal(error: ApiException, act: str, server: str, token: str = "") -> ClusterError:
    """Turn an API server's Status answer into our sentence."""
    try:
        message = json.loads(error.body)["message"]
    except (TypeError, ValueError, KeyError):
        message = f"HTTP {error.status} {error.reason}"
    if error.status == _UNAUTHORIZED:
        end = end_of(token)
        ended = f": the kubeconfig's token ends at {stamp(end)}" if end else ""
        remedy = "renew the kubeconfig's token or certificate, as an administrator does by `dagger call access`"
        return AccessDenied(act, f"{server} refused the credentials{ended}", remedy)
    if error.status == _FORBIDDEN:
        if _RIGHT.search(message):
            return AccessDenied(act, message, "grant this right to the kubeconfig's user")
        return Rejected(act, message, "change the manifest, or the policy that refused it")
    if error.status in _PLAIN:
        return _PLAIN[error.status](act, message)
    untyped = message.partition(_UNTYPED)[2].partition("): ")[2]
    if not untyped and (error.status == _TOO_MANY or error.status >= _SERVER_ERROR):
        return Unreachable(act, f"{server} answered {error.status}: {message}", "try again when it is well")
    return Rejected(act, untyped or message, "correct the manifest")


def refuse_weak_pods(warnings: Iterable[str], level: str, act: str) -> None:
    """Refuse a workload whose pods the namespace will not admit; of the workload itself the server only warns."""
    for warning in warnings:
        _, found, broken = warning.replace('\\"', '"').partition(f'would violate PodSecurity "{level}:')
        if found:
            why = broken.partition('": ')[2].rstrip('"')
            raise Rejected(
                act,
                f"the namespace enforces Pod Security {level}, which its pods would break: {why}",
                "correct the securityContext of its pods; nothing was touched",
            )


def token_of(api: ApiClient) -> str:
    """Return the token that a client shows, or nothing where it shows a certificate."""
    return str((api.configuration.api_key or {}).get("authorization", "")).removeprefix("Bearer ")


def cause_of(error: BaseException) -> str:
    """Return what the system said, without the addresses and objects that urllib3 puts around it."""
    text = str(getattr(error, "reason", None) or error)
    return text.rpartition(": ")[2].partition("] ")[2] or text.rpartition(": ")[2] or type(error).__name__


def connection(kubeconfig: str, address: str = "") -> tuple[ApiClient, str]:
    """Return a client from a kubeconfig, and the server's name for messages; `address` is where it is reached instead.

    With an address (a tunnel from the machine that runs the CLI), the certificate is still checked
    against the name that the kubeconfig gives.
    """
    act = "read the kubeconfig"
    try:
        data = yaml.safe_load(kubeconfig)
        configuration = Configuration()
        kube_config.load_kube_config_from_dict(data, client_configuration=configuration)
    except (yaml.YAMLError, kube_config.ConfigException, TypeError, AttributeError, KeyError) as error:
        raise ConfigError(
            act, _first_line(error), "give the output of `kubectl config view --raw --minify --flatten`"
        ) from error
    _refuse_exec(data, act)
    server = configuration.host
    if address:
        host = urlsplit(server).hostname or ""
        configuration.tls_server_name = configuration.tls_server_name or host
        configuration.host = f"{urlsplit(server).scheme}://{address}"
        # The hook reads the kubeconfig again at each request, and with it the server that is not to be used.
        configuration.refresh_api_key_hook = None
        server += " through --cluster"
    configuration.retries = 0  # the caller knows whether a request may be repeated, and until when
    configuration.connection_pool_maxsize = 32
    return ApiClient(configuration), server


def _refuse_exec(data: Mapping[str, Any], act: str) -> None:
    for user in data.get("users") or ():
        if (user.get("user") or {}).get("exec"):
            raise ConfigError(
                act,
                f'user "{user.get("name")}" gets its token from a program, which is not in the pipeline\'s container',
                "pass a kubeconfig that holds a token or a certificate",
            )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
