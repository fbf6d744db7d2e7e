// Package absent stands in for each provider that a lab does not use: their libraries are a good part of all the code
// that Traefik is built from.
package absent

import (
	"errors"

	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/safe"
)

const ProviderName = "absent"

type Provider struct{}

func (p *Provider) Init() error {
	return errors.New("the " + ProviderName + " provider is not part of this build")
}

func (p *Provider) Provide(chan<- dynamic.Message, *safe.Pool) error {
	return nil
}

// ProviderBuilder is what those have that are made once for each namespace.
type ProviderBuilder struct{}

func (*ProviderBuilder) BuildProviders() []*Provider {
	return []*Provider{{}}
}
