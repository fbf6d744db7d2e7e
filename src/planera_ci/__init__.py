"""Build, test, publish, deploy and verify a web application on Kubernetes.

One command gives the same result on a laptop and in CI: `dagger call deploy --env staging`.
Settings come from flags or from a .env file; .env.example lists them all.
"""

from planera_ci.main import PlaneraCi

__all__ = ["PlaneraCi"]
