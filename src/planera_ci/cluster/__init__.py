"""The only code that talks to Kubernetes, and the only code that changes a cluster."""
