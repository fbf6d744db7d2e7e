// Package ecs stands in for the provider that needs Amazon's SDK, a fifth of all the code that Traefik is built from.
package ecs

import (
	"errors"

	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/safe"
)

const ProviderName = "ecs"

type Provider struct{}

func (p *Provider) Init() error {
	return errors.New("the ECS provider is not part of this build")
}

func (p *Provider) Provide(chan<- dynamic.Message, *safe.Pool) error {
	return nil
}
