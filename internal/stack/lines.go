package stack

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"

	"zr/pkg/cluster"
	"zr/pkg/cluster/statedir"
	"zr/pkg/cmdline"
	"zr/pkg/config"
)

// linesOf are the command lines about an environment, before its cluster is
// known. What a terminal at this folder would take by itself is left out.
func linesOf(cfg *config.Config) cmdline.Run {
	if cfg.Beside != nil {
		cfg = cfg.Beside
	}
	lines := LinesAt(cfg.Root, cfg.Env)
	if here := cmp.Or(os.Getenv("ZR_AS"), statedir.Instance(cfg.Root, cfg.Env)); here != cfg.Instance {
		lines.Flags = append(lines.Flags, "--as", cfg.Instance)
	}
	if os.Getenv("ZR_NAMESPACE") != cfg.Namespace {
		lines.Flags = append(lines.Flags, "--namespace", cfg.Namespace)
	}
	if len(cfg.Only) > 0 {
		lines.Flags = append(lines.Flags, "--only", strings.Join(cfg.Only, ","))
	}
	return lines
}

// LinesAt are the command lines about an environment of the project at root, which need
// not be one yet.
func LinesAt(root, env string) cmdline.Run {
	var lines cmdline.Run
	here, err := config.Find(cmp.Or(os.Getenv("ZR_PROJECT"), "."))
	if err != nil {
		if here, err = filepath.Abs(cmp.Or(os.Getenv("ZR_PROJECT"), ".")); err == nil {
			here, err = filepath.EvalSymlinks(here)
		}
	}
	if err != nil || here != root {
		lines.Flags = append(lines.Flags, "-C", root)
	}
	if cmp.Or(os.Getenv("ZR_ENV"), config.DefaultEnv) != env || env != config.DefaultEnv {
		lines.Flags = append(lines.Flags, "-e", env)
	}
	return lines
}

// linesOn are those about an environment and its cluster.
func linesOn(cfg *config.Config, c *cluster.Cluster) cmdline.Run {
	lines := linesOf(cfg)
	lines.Kubeconfig, lines.Context = c.Kubeconfig, c.Context
	return lines
}
