package ca

import (
	"crypto"
	"crypto/tls"
	"encoding/hex"
	"os"

	"github.com/letsencrypt/pebble/v2/core"
)

// newRootIssuer takes the root from PEBBLE_ROOT.crt and .key if that is set: whoever trusts the lab's authority then
// trusts what Pebble issues, too. Without it the root is a new one at each start.
func (ca *CAImpl) newRootIssuer(name string, keyAlg string) (*issuer, error) {
	file := os.Getenv("PEBBLE_ROOT")
	if file == "" {
		return ca.generatedRootIssuer(name, keyAlg)
	}
	pair, err := tls.LoadX509KeyPair(file+".crt", file+".key")
	if err != nil {
		return nil, err
	}
	serial := hex.EncodeToString(pair.Leaf.SerialNumber.Bytes())
	certificate := &core.Certificate{ID: serial, Cert: pair.Leaf, DER: pair.Leaf.Raw}
	if _, err := ca.db.AddCertificate(certificate); err != nil {
		return nil, err
	}
	return &issuer{key: pair.PrivateKey.(crypto.Signer), cert: certificate}, nil
}
