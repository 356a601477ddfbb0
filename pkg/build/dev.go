package build

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
	// Deploy makes the image and deploys it.
	Deploy Reload = "deploy"
)

// SendsFiles says whether the files of a service are sent as they were saved.
func (r Reload) SendsFiles() bool { return r == Sync || r == Restart }

// DevMode is how a service runs and reloads under `zr dev`. With Deploy, the other
// fields are empty: it runs as it always does.
type DevMode struct {
	Reload Reload
	// Dir is the folder of the container that files are sent to.
	Dir string
	// ReleaseDir is where the release image has those files, Stays what is at
	// the same place in both although it is below ReleaseDir.
	ReleaseDir string
	Stays      []string
	// Memory is what the container may use at least, a Kubernetes quantity;
	// empty where the manifest's limit will do.
	Memory string
}
