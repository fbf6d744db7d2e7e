module lab/ingress

go 1.26.0

require github.com/traefik/traefik/v3 v3.7.13
require github.com/coredns/coredns v1.15.0

// src: a copy without what a lab does not use, see gotrims.py; lego: one without its DNS providers;
// httpauth: v0.4.0 plus the two functions that Traefik's fork adds; ext: two empty extension structs.
replace (
	github.com/abbot/go-http-auth => ./httpauth
	github.com/go-acme/lego/v5 => ./lego
	github.com/gorilla/mux => github.com/containous/mux v0.0.0-20250523120546-41b6ec3aed59
	github.com/traefik/traefik/dynamic/ext => ./ext
	github.com/traefik/traefik/v3 => ./src
)
