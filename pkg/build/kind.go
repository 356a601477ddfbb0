package build

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"zr/pkg/config"
)

// Kind is one kind of source that images are made from, and all that differs
// between kinds. Which keys of the config are its own, config says.
type Kind struct {
	// Name is what config.Build.Kind calls it.
	Name string
	// Tools returns the programs of this machine that a build runs. May be nil.
	Tools func(spec config.Build) []Tool
	// Crosses says whether images are made for platforms other than this machine's as
	// well. May be nil: they are not.
	Crosses func(spec config.Build) bool
	// Advice says what to do about a version that did not get healthy, from the
	// words that its process ended with. file is the config as people call it. It
	// returns "" where it knows nothing. May be nil.
	Advice func(r Request, file, words string) string
	// New returns what makes the images. It is a Reloader as well where services of
	// the kind are reloaded in place; those of others are deployed anew.
	New func(Deps) Builder
}

// Tool is a program that is looked for in the PATH.
type Tool struct {
	Name string
	Min  string // the oldest version that builds work with, such as "1.26"; empty for any
	// Unknown says that it may be any program, of which no version can be asked.
	Unknown bool
}

// Builder makes the images of one kind of source. Methods are safe for
// concurrent use. Errors carry what the compiler said, with paths relative to
// Root.
type Builder interface {
	// Inputs returns what the service is built from, up to date. The mode
	// does not matter to it. Keep the set and call its Refresh to look again:
	// where something is missing that the sources name, the set comes with the
	// error, as it was known last.
	Inputs(ctx context.Context, r Request) (*InputSet, error)
	// Build makes the image and puts it into the store.
	Build(ctx context.Context, r Request) (Result, error)
}

// Reloader is the Builder of a kind whose services are reloaded in place: a save
// changes the container that runs.
type Reloader interface {
	// DevMode says how the service runs and reloads under `zr dev`.
	DevMode(r Request) (DevMode, error)
	// Live returns what saves change in the container of the service. The set is
	// the service's, and the caller refreshes it.
	// out is a path of this machine that is the service's alone: what is made for
	// the container lies there, or below it.
	Live(r Request, set *InputSet, out string) (Live, error)
}

// Kinds are those that a program can build.
type Kinds []Kind

// Of returns the kind that a spec picks.
func (ks Kinds) Of(spec config.Build) (Kind, error) {
	i := slices.IndexFunc(ks, func(k Kind) bool { return k.Name == spec.Kind() })
	if i < 0 {
		return Kind{}, errors.New("not exactly one kind of build is named")
	}
	return ks[i], nil
}

// InPlace says whether a service is reloaded in place under `zr dev`.
func (ks Kinds) InPlace(spec config.Build) bool {
	k, err := ks.Of(spec)
	if err != nil {
		return false
	}
	_, ok := k.New(Deps{}).(Reloader)
	return ok
}

// Crosses says whether a spec's images are made for any platform.
func (ks Kinds) Crosses(spec config.Build) bool {
	k, err := ks.Of(spec)
	return err == nil && k.Crosses != nil && k.Crosses(spec)
}

// Tools returns the programs that builds of all the requests run, each once.
func (ks Kinds) Tools(requests []Request) (tools []Tool) {
	for _, k := range ks {
		for _, r := range requests {
			if k.Tools == nil || r.Spec.Kind() != k.Name {
				continue
			}
			for _, tool := range k.Tools(r.Spec) {
				if !slices.Contains(tools, tool) {
					tools = append(tools, tool)
				}
			}
		}
	}
	return tools
}

// Advice is that of the kind that the request's spec picks.
func (ks Kinds) Advice(r Request, file, words string) string {
	k, err := ks.Of(r.Spec)
	if err != nil || k.Advice == nil {
		return ""
	}
	return k.Advice(r, file, words)
}

// With returns the builders of all kinds.
func (ks Kinds) With(deps Deps) Builders { return Builders{ks, deps} }

// Builders is a Builder and a Reloader that leaves each request to the kind which
// its spec picks. Its errors name the service.
type Builders struct {
	kinds Kinds
	deps  Deps
}

func (b Builders) pick(r Request) (Builder, error) {
	k, err := b.kinds.Of(r.Spec)
	if err != nil {
		return nil, err
	}
	return k.New(b.deps), nil
}

func (b Builders) reloader(r Request) (Reloader, error) {
	picked, err := b.pick(r)
	if err != nil {
		return nil, err
	}
	reloader, ok := picked.(Reloader)
	if !ok {
		return nil, fmt.Errorf("a service of kind %q is not reloaded in place", r.Spec.Kind())
	}
	return reloader, nil
}

// Inputs is part of Builder.
func (b Builders) Inputs(ctx context.Context, r Request) (set *InputSet, err error) {
	picked, err := b.pick(r)
	if err == nil {
		set, err = picked.Inputs(ctx, r)
	}
	if err != nil {
		return set, fmt.Errorf("listing the inputs of %q: %w", r.Service, err)
	}
	return set, nil
}

// Build is part of Builder.
func (b Builders) Build(ctx context.Context, r Request) (result Result, err error) {
	picked, err := b.pick(r)
	if err == nil {
		result, err = picked.Build(ctx, r)
	}
	if err != nil {
		return Result{}, fmt.Errorf("building image %q: %w", r.Service, err)
	}
	return result, nil
}

// DevMode is part of Reloader.
func (b Builders) DevMode(r Request) (mode DevMode, err error) {
	picked, err := b.reloader(r)
	if err == nil {
		mode, err = picked.DevMode(r)
	}
	if err != nil {
		return DevMode{}, fmt.Errorf("looking at %q: %w", r.Service, err)
	}
	return mode, nil
}

// Live is part of Reloader.
func (b Builders) Live(r Request, set *InputSet, out string) (live Live, err error) {
	picked, err := b.reloader(r)
	if err == nil {
		live, err = picked.Live(r, set, out)
	}
	if err != nil {
		return Live{}, fmt.Errorf("looking at %q: %w", r.Service, err)
	}
	return live, nil
}
