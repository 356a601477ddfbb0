package recipe

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"

	"zr/pkg/fault"
)

// modules downloads the modules whose files the generator needs, and returns
// the environment that tells it where they are.
func (b *builder) modules(ctx context.Context, r Recipe) ([]string, error) {
	var env []string
	for _, m := range r.spec.Modules {
		dir, err := downloadModule(ctx, b.cache.path(workDir), m)
		if err != nil {
			return nil, fmt.Errorf("downloading module %s@%s: %w", m.Path, m.Version, err)
		}
		env = append(env, m.Env+"="+dir)
	}
	return env, nil
}

// downloadModule returns the module's folder in the module cache, which is
// read-only.
func downloadModule(ctx context.Context, dir string, m moduleSpec) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", m.Path+"@"+m.Version)
	cmd.Dir = dir // of no module, so that none's go.mod has a say
	cmd.Env = append(os.Environ(), goEnv...)
	out, err := cmd.Output()
	var answer struct{ Dir, Sum, Error string }
	if jsonErr := json.Unmarshal(out, &answer); jsonErr != nil && err == nil {
		err = jsonErr
	}
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case answer.Error != "":
		return "", fmt.Errorf("%s", answer.Error)
	case err != nil:
		return "", err
	case answer.Sum != m.Sum:
		return "", fault.Hint(fmt.Errorf("its checksum is %s, and the recipe wants %s", answer.Sum, m.Sum),
			"something between here and the module's author changed it: use another module proxy")
	}
	return answer.Dir, nil
}
