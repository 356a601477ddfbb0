package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"zr/internal/stack/proposal"
	"zr/pkg/cmdline"
	"zr/pkg/config"
	"zr/pkg/devattach"
	"zr/pkg/fault"
)

// Init says what makes services of folders of the project at root, or of all that look
// like one where none is named. Where the project has no config of the environment, the
// plan makes one, with an overlay. Nothing is written.
func Init(root, env string, folders []string) (proposal.Plan, error) {
	cfg, err := config.Load(root, env)
	start := false
	if err != nil {
		if _, gone := os.Stat(filepath.Join(root, "config", env+".yaml")); !errors.Is(gone, os.ErrNotExist) {
			return proposal.Plan{}, err
		}
		start = true
		cfg = &config.Config{Root: root, Env: env, File: filepath.Join(root, "config", env+".yaml"), Overlay: "kustomize/overlays/" + env}
		cfg.Cluster.Provider = config.ProviderKind
	}
	p := proposalsFor(cfg)
	var plan proposal.Plan
	if start {
		name := projectName(root)
		if name == "" {
			return plan, fault.WithCode(fmt.Errorf("naming the project: %q has no letter or digit", filepath.Base(root)), fault.Usage, "give the folder another name")
		}
		plan, err = p.Start(name, folders)
	} else {
		plan, err = p.Services(folders)
	}
	return plan, initFault(LinesAt(root, env), err)
}

// projectName is that of the project's other environments, or of its folder.
func projectName(root string) string {
	for _, env := range config.Envs(root) {
		if cfg, err := config.Load(root, env); err == nil {
			return cfg.Project
		}
	}
	return proposal.Name(root)
}

// initFault says what can be done about what is not proposed.
func initFault(lines cmdline.Run, err error) error {
	if none, is := errors.AsType[*proposal.NotServices](err); is {
		return fault.WithCode(none, fault.Usage, none.Hint(lines))
	}
	failed, is := errors.AsType[*devattach.Failure](err)
	if !is {
		return err
	}
	hint := "a service is a folder of the project with a Go program, a package.json or a Dockerfile; what else builds one is `build: {command: …}`: docs/configuration.md"
	if failed.Code == devattach.Conflict {
		hint = "rename the folder, or write the service by hand: docs/configuration.md"
	}
	return fault.WithCode(err, fault.Usage, cmp.Or(fault.HintOf(err), hint))
}

// WriteInit does what a plan says, all of it or nothing, and returns the files that were
// written. What comes out is a valid project: it was loaded, and its overlay rendered.
func WriteInit(ctx context.Context, root, env string, plan proposal.Plan) ([]string, error) {
	files, err := proposal.Write(root, plan.Edits, func() error {
		cfg, err := config.Load(root, env)
		if err != nil {
			return err
		}
		if err := cfg.CheckSources(); err != nil {
			return err
		}
		return Validate(ctx, cfg, true)
	})
	if err != nil {
		return nil, fault.Hint(err, cmp.Or(fault.HintOf(err), "see what it would write: "+LinesAt(root, env).Zr("init", "--dry-run")))
	}
	return files, nil
}
