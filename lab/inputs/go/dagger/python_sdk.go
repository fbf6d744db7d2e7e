package sdk

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/dagger/dagger/core"
	"github.com/dagger/dagger/dagql"
	"github.com/iancoleman/strcase"
	"github.com/pelletier/go-toml"
)

// The image that Python modules run on unless their pyproject.toml names another; the lab's has uv in it.
const pythonDefaultImage = "python:3.13-slim"

// pythonNative runs Python modules locked with uv, as the official runtime does: that one is a module built
// with Go, from sources that the module proxy does not serve. Both read `[tool.dagger] base-image` and uv.lock,
// and run the entry point of the published dagger-io.
type pythonNative struct {
	root      *core.Query
	rawConfig map[string]any
}

func (sdk *pythonNative) CloneForModuleSource(*core.ModuleSource) core.SDK {
	cp := *sdk
	return &cp
}
func (sdk *pythonNative) AsRuntime() (core.Runtime, bool)                 { return sdk, true }
func (sdk *pythonNative) AsModuleTypes() (core.ModuleTypes, bool)         { return nil, false }
func (sdk *pythonNative) AsCodeGenerator() (core.CodeGenerator, bool)     { return sdk, true }
func (sdk *pythonNative) AsClientGenerator() (core.ClientGenerator, bool) { return nil, false }
func (sdk *pythonNative) AttachDependencyResults(context.Context, func(dagql.AnyResult) (dagql.AnyResult, error)) ([]dagql.AnyResult, error) {
	return nil, nil
}
func (sdk *pythonNative) Codegen(ctx context.Context, deps *core.SchemaBuilder, source dagql.ObjectResult[*core.ModuleSource]) (*core.GeneratedCode, error) {
	return &core.GeneratedCode{Code: source.Self().ContextDirectory}, nil
}

func (sdk *pythonNative) Runtime(ctx context.Context, deps *core.SchemaBuilder, source dagql.ObjectResult[*core.ModuleSource]) (core.ModuleRuntime, error) {
	dag, err := sdk.root.Server.Server(ctx)
	if err != nil {
		return nil, err
	}
	source, err = scopeSourceForSDKOperation(ctx, source, "runtime", dag)
	if err != nil {
		return nil, fmt.Errorf("scope module source: %w", err)
	}
	src := source.Self()
	name := src.ModuleOriginalName
	pkg := strings.ReplaceAll(strcase.ToKebab(strcase.ToCamel(name)), "-", "_")
	ctxDirID, err := src.ContextDirectory.ID()
	if err != nil {
		return nil, err
	}
	var cache dagql.Result[*core.CacheVolume]
	if err := dag.Select(ctx, dag.Root(), &cache, sel("cacheVolume", arg("key", dagql.String("modpython-uv")), arg("namespace", dagql.String("internal")))); err != nil {
		return nil, err
	}
	cacheID, err := cache.ID()
	if err != nil {
		return nil, err
	}
	env := func(k, v string) dagql.Selector {
		return sel("withEnvVariable", arg("name", dagql.String(k)), arg("value", dagql.String(v)))
	}
	var pyproject string
	if err := dag.Select(ctx, src.ContextDirectory, &pyproject,
		sel("file", arg("path", dagql.String(path.Join(src.SourceSubpath, "pyproject.toml")))),
		sel("contents"),
	); err != nil {
		return nil, fmt.Errorf("python runtime: read pyproject.toml: %w", err)
	}
	image, err := baseImage(pyproject)
	if err != nil {
		return nil, err
	}
	uv, err := uvFile(ctx, dag)
	if err != nil {
		return nil, err
	}
	var ctr dagql.ObjectResult[*core.Container]
	err = dag.Select(ctx, dag.Root(), &ctr,
		sel("container"),
		sel("from", arg("address", dagql.String(image))),
		sel("withFile", arg("path", dagql.String("/usr/local/bin/uv")), arg("source", uv)),
		env("PYTHONUNBUFFERED", "1"), env("UV_LINK_MODE", "copy"), env("UV_SYSTEM_CERTS", "1"), env("UV_HTTP_RETRIES", "10"),
		env("UV_PROJECT_ENVIRONMENT", "/opt/venv"), env("UV_COMPILE_BYTECODE", "1"),
		env("UV_PYTHON_DOWNLOADS", "never"),
		env("DAGGER_MODULE", name), env("DAGGER_DEFAULT_PYTHON_PACKAGE", pkg), env("DAGGER_MAIN_OBJECT", strcase.ToCamel(name)),
		sel("withMountedCache", arg("path", dagql.String("/root/.cache/uv")), arg("cache", dagql.NewID[*core.CacheVolume](cacheID))),
		sel("withMountedDirectory", arg("path", dagql.String("/src")), arg("source", dagql.NewID[*core.Directory](ctxDirID))),
		sel("withWorkdir", arg("path", dagql.String(path.Join("/src", src.SourceSubpath)))),
		sel("withExec", arg("args", dagql.ArrayInput[dagql.String]{"uv", "sync", "--frozen", "--no-dev"})),
		sel("withoutMount", arg("path", dagql.String("/root/.cache/uv"))),
		sel("withEntrypoint", arg("args", dagql.ArrayInput[dagql.String]{"/opt/venv/bin/python", "-c", "import sys\nfrom dagger.mod.cli import app\nsys.exit(app(None, '--register' in sys.argv[1:]))"})),
		sel("withWorkdir", arg("path", dagql.String(RuntimeWorkdirPath))),
	)
	if err != nil {
		return nil, fmt.Errorf("python runtime: %w", err)
	}
	return &core.ContainerRuntime{Container: ctr}, nil
}

func baseImage(pyproject string) (string, error) {
	tree, err := toml.Load(pyproject)
	if err != nil {
		return "", fmt.Errorf("python runtime: pyproject.toml: %w", err)
	}
	if image, ok := tree.GetPath([]string{"tool", "dagger", "base-image"}).(string); ok && image != "" {
		return image, nil
	}
	return pythonDefaultImage, nil
}

func uvFile(ctx context.Context, dag *dagql.Server) (dagql.ID[*core.File], error) {
	var file dagql.ObjectResult[*core.File]
	var none dagql.ID[*core.File]
	if err := dag.Select(ctx, dag.Root(), &file,
		sel("container"),
		sel("from", arg("address", dagql.String(pythonDefaultImage))),
		sel("file", arg("path", dagql.String("/usr/local/bin/uv"))),
	); err != nil {
		return none, fmt.Errorf("python runtime: uv: %w", err)
	}
	id, err := file.ID()
	if err != nil {
		return none, err
	}
	return dagql.NewID[*core.File](id), nil
}

func sel(field string, args ...dagql.NamedInput) dagql.Selector {
	return dagql.Selector{Field: field, Args: args}
}
func arg(name string, v dagql.Input) dagql.NamedInput { return dagql.NamedInput{Name: name, Value: v} }
