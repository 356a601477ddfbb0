package command

import (
	"context"
	"errors"

	"zr/pkg/build"
	"zr/pkg/build/internal/folder"
	"zr/pkg/fault"
)

// DevMode says that each save runs the command, and that what it made is swapped.
func (b *Builder) DevMode(build.Request) (build.DevMode, error) {
	return build.DevMode{Reload: build.Compile, Dir: appDir, ReleaseDir: appDir}, nil
}

// Live returns how a save gets into the container of the service. Copies of what the
// command made lie in the folder out: the command writes over its own the next time.
func (b *Builder) Live(r build.Request, set *build.InputSet, out string) (build.Live, error) {
	copies := folder.NewCopies(out)
	return build.Live{Folder: &build.Folder{
		Dir: sourceDir(r),
		Command: func(ctx context.Context) (map[string]string, string, error) {
			return b.made(ctx, r, set, copies)
		},
	}}, nil
}

// attempts is how often the command is run because sources changed meanwhile. A save
// ends a run by its context, so what changes them each time is the command itself.
const attempts = 3

// made runs the command and returns what it made, with the hash of the inputs.
func (b *Builder) made(ctx context.Context, r build.Request, set *build.InputSet, copies *folder.Copies) (map[string]string, string, error) {
	_, unlock, err := b.deps.LockWorkDir(ctx, r)
	if err != nil {
		return nil, "", err
	}
	defer unlock()
	for range attempts {
		before := set.Sum()
		if err := run(ctx, r); err != nil {
			return nil, "", err
		}
		if err := set.Refresh(ctx); err != nil {
			return nil, "", err
		}
		if set.Sum() == before {
			files, err := copies.Of(outDir(r), func(string) bool { return true })
			return files, set.Hash(), err
		}
	}
	return nil, "", fault.Hint(errors.New("the command changes the sources that it reads, each time"),
		"what it writes besides `out:` belongs into .gitignore or .zrignore")
}
