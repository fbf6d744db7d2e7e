// acmesolver answers one HTTP-01 challenge, in a pod that cert-manager makes for it.
package main

import (
	"flag"
	"log"

	"github.com/cert-manager/cert-manager/pkg/issuer/acme/http/solver"
	"k8s.io/klog/v2"
)

func main() {
	server := new(solver.HTTP01Solver)
	flag.IntVar(&server.ListenPort, "listen-port", 8089, "port to listen on")
	flag.StringVar(&server.Domain, "domain", "", "name that is validated")
	flag.StringVar(&server.Token, "token", "", "token of the challenge")
	flag.StringVar(&server.Key, "key", "", "answer to the challenge")
	flag.Parse()
	log.Fatal(server.Listen(klog.Background()))
}
