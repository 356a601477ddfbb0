package build

import "context"

// Reload is how a save reaches a running service.
type Reload string

// The ways.
const (
	// Sync sends files; the process picks them up by itself.
	Sync Reload = "sync"
	// Restart sends files and has the process started anew.
	Restart Reload = "restart"
	// Compile builds on this machine, sends what that made and has the process
	// started anew.
	Compile Reload = "compile"
)

// DevMode is how a service that is reloaded in place runs under `zr dev`.
type DevMode struct {
	Reload Reload
	// Dir is the folder of the container that files are sent to.
	Dir string
	// ReleaseDir is where the release image has those files, Stays what is at
	// the same place in both although it is below ReleaseDir.
	ReleaseDir string
	Stays      []string
	// Sources is the folder of this machine, absolute, whose files are sent as they
	// were saved; empty where none are.
	Sources string
	// Memory is what the container may use at least, a Kubernetes quantity;
	// empty where the manifest's limit will do.
	Memory string
}

// Live is what saves change in the container of a service that is reloaded in
// place. Exactly one of the two is set.
type Live struct {
	Folder  *Folder
	Program *Program
}

// Folder is a service whose container holds the files of a folder, or what a
// command makes of them.
type Folder struct {
	// Dir is the folder of the sources, absolute.
	Dir string
	// Restarts says that the process is started anew with each save.
	Restarts bool
	// Rebuilds says why the image has to be made anew where a source was saved, by
	// its path below Dir; "" for those that are only sent. May be nil.
	Rebuilds func(below string) (why string)
	// Reread is called after the image was made anew. May be nil.
	Reread func() error
	// Private says of a source, by its path below Dir, that it stays on this
	// machine. May be nil.
	Private func(below string) bool
	// Made returns files that the container holds beside the sources: slash-separated
	// path in it → absolute path here. May be nil.
	Made func(ctx context.Context) (map[string]string, error)
	// Command makes what the container holds in place of the sources, of the
	// refreshed inputs. It returns all of that, as Made does, and the hash of what
	// it was made from: never that of a file saved meanwhile. Its error is what the
	// command said. It is nil where the sources themselves are sent.
	Command func(ctx context.Context) (files map[string]string, hash string, err error)
}

// Program is a service that is one program, compiled on this machine, with files
// that it reads at run time beside it.
type Program struct {
	// File is the program's path below the folder that files are sent to.
	File string
	// ReadOnce says that the program reads the files beside it when it starts: a
	// save of one swaps the process.
	ReadOnce bool
	// Compile builds the program from the refreshed inputs. It returns where it is
	// and the hash of what it was compiled from: never that of a file saved
	// meanwhile. Its error is what the compiler said.
	Compile func(ctx context.Context) (path, hash string, err error)
	// Kept returns the program of the refreshed inputs where it was compiled
	// before, such as for the image.
	Kept func() (path string, err error)
	// Beside are the files that the program reads at run time, as they are now:
	// path below the folder that files are sent to → absolute path.
	Beside func() (map[string]string, error)
	// Missing says that a file which is no input may be one that the sources name
	// and the compiler did not find. May be nil: any may be.
	Missing func(path string) bool
	// Module returns the folder that is watched as a whole because of an input in
	// it, or "". May be nil.
	Module func(input string) string
}
