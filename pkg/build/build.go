// Package build makes OCI images from sources, with the compilers and package
// managers of this machine and no container engine: gobuild for Go, node for
// Node.js and Next.js. Only dockerfile hands its work to an engine. Each of them
// is a Kind, and what zr knows of it is in its package.
//
// The same inputs give the same image digest on every machine. What an image
// is made from has a hash, and where an image with that hash is in the store,
// building it is a matter of milliseconds: some stats, no program run.
package build

import (
	"context"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"zr/pkg/build/internal/inputs"
	"zr/pkg/config"
	"zr/pkg/event"
	"zr/pkg/image"
)

// Mode is what an image is for.
type Mode string

// The modes.
const (
	Release Mode = "release" // the service, and nothing else
	Dev     Mode = "dev"     // the service behind the live-reload agent
)

// EnvHash is the variable by which every image tells its process the hash of
// the inputs that it was made from.
const EnvHash = "ZR_BUILD_HASH"

// Request asks for the image of one service.
type Request struct {
	Service  string
	Project  string
	Root     string // the project's folder, absolute
	Spec     config.Build
	Platform string // of the nodes, for example linux/amd64
	Mode     Mode
	Agent    string // path of a zr-agent for the platform; for Dev only
	// OwnCommand says that the manifest names another command than the image has,
	// so that it does not matter whether that one is there.
	OwnCommand bool
}

// Image is what is built.
type Image = v1.Image

// Result is an image in the store.
type Result struct {
	Service   string
	Mode      Mode
	Name      string // repository without registry, @, digest: project/service@sha256:...
	Digest    string // of the manifest
	InputHash string // 16 hex characters: what the process reports as its build
	Cached    bool   // nothing had to be done
	Took      time.Duration
	Files     []string // what it was made from, relative to Root

	// Image reads from the store.
	Image v1.Image
}

// Local returns the name by which a node of this machine knows the image.
func (r Result) Local() string { return image.Local + "/" + r.Name }

// InputSet is what a service is built from: see its Hash, Contains, Files and
// Refresh.
type InputSet = inputs.Set

// InputFile is one file of an InputSet.
type InputFile = inputs.File

// InputFolder is a folder of an InputSet.
type InputFolder = inputs.Folder

// Base finds an image that a build is put on, by its name. Afterwards the
// store has it.
type Base func(ctx context.Context, ref string) (v1.Image, error)

// Deps is what every builder needs.
type Deps struct {
	Store *image.Store
	Base  Base
	// Cache is the folder that builders keep state in between runs, one that
	// may be deleted. Default: zr/build in the user's cache directory.
	Cache string
	// Sink is told what a build is doing, and what a user should know that is
	// no failure. May be nil.
	Sink event.Sink
	Step string // the step that progress belongs to
	// Missing is called before an image is made that the store lacks, by
	// several goroutines. May be nil.
	Missing func()
}

// Notice tells the sink something that is no failure.
func (d Deps) Notice(text, hint string) {
	if d.Sink != nil {
		d.Sink.Emit(event.Notice{Text: text, Hint: hint})
	}
}

// Doing tells the sink what a service's build is at.
func (d Deps) Doing(service, what string) {
	if d.Sink != nil {
		d.Sink.Emit(event.StepProgress{Step: d.Step, Detail: service + ": " + what})
	}
}
