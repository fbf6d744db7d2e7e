module lab/cert-manager

go 1.26.0

require github.com/cert-manager/cert-manager v1.21.2

// src: a copy without the DNS-01 providers and what they bring in
replace github.com/cert-manager/cert-manager => ./src
