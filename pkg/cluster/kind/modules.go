package kind

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"zr/pkg/cluster/engine"
	"zr/pkg/fault"
)

// modulesFolder is where the kernel's modules are. kind mounts it into every
// node, whether or not the machine has any.
const modulesFolder = "/lib/modules"

// ensureModulesFolder makes the folder on a machine whose kernel has no
// modules: podman, unlike docker, does not make what it is to mount.
func ensureModulesFolder(e engine.Engine) error {
	if runtime.GOOS != "linux" || e.Root == "" {
		return nil // the engine runs on another machine, which has its own
	}
	if _, err := os.Stat(modulesFolder); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := os.MkdirAll(modulesFolder, 0o755); err != nil {
		return fault.Hint(fmt.Errorf("this machine lacks %s, which kind mounts into its nodes: %w", modulesFolder, err), "sudo mkdir -p "+modulesFolder)
	}
	return nil
}
