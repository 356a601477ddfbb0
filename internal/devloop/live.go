package devloop

import (
	"context"

	"zr/pkg/build"
)

// Reloaded is a service that is reloaded in place, whatever kind of source it is
// built from.
type Reloaded struct {
	Service   string
	Root      string // of the project
	Inputs    Inputs
	Container Container
	Budget    *Budget
	// Rebuild makes the image and has it deployed.
	Rebuild func(ctx context.Context) error
	// Advice says what to do about a version that did not get healthy, from what
	// is said about it and its last lines; "" where that is not known.
	Advice func(words string) string
}

// Unit returns the unit of a service, by what saves change in its container.
func (r Reloaded) Unit(live build.Live) Unit {
	if live.Program != nil {
		return &Program{Service: r.Service, Root: r.Root, Inputs: r.Inputs, Container: r.Container, Program: *live.Program, Budget: r.Budget, Advice: r.Advice}
	}
	sources := &Sources{Service: r.Service, Inputs: r.Inputs, Container: r.Container, Root: r.Root, Folder: *live.Folder, Rebuild: r.Rebuild}
	if live.Folder.Command != nil {
		return &Compiled{Sources: sources, Budget: r.Budget}
	}
	return sources
}
