// Stands in for the two interpreters that plugins are run by.
package plugins

import (
	"context"
	"errors"

	"github.com/traefik/traefik/v3/pkg/provider"
)

var errAbsent = errors.New("plugins are not part of this build")

type providerBuilder struct {
	interpreter     any
	Import, BasePkg string
}

func newInterpreter(context.Context, string, *Manifest, Settings) (any, error) {
	return nil, errAbsent
}

func newYaegiMiddlewareBuilder(any, string, string) (middlewareBuilder, error) {
	return nil, errAbsent
}

func newWasmMiddlewareBuilder(string, string, string, Settings) (middlewareBuilder, error) {
	return nil, errAbsent
}

func (b Builder) BuildProvider(string, map[string]any) (provider.Provider, error) {
	return nil, errAbsent
}
