"""A real Dagger engine and a real Kubernetes on a bare Debian machine, from package registries alone."""
