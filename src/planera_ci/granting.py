"""Give a pipeline its way into one environment: the account, what it may do, and a kubeconfig that ends."""

from __future__ import annotations

from planera_ci.cluster.access import granted
from planera_ci.cluster.client import Cluster
from planera_ci.domain.kubeconfig import for_account
from planera_ci.domain.moments import stamp
from planera_ci.pipeline.project import Project
from planera_ci.pipeline.render import load


async def kubeconfig(cluster: Cluster, admin: str, project: Project, environment: str, seconds: int) -> str:
    """Apply the manifests in access/ENV, and return a kubeconfig for their account."""
    act = f"give access to {environment}"
    grant = await granted(cluster, await load(project.manifests, f"access/{environment}"), seconds, act)
    head = f"# {grant.account} of {grant.namespace}, until {stamp(grant.ends or 0)}\n"
    return head + for_account(admin, grant.account, grant.namespace, grant.token)
