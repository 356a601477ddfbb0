package stack

import (
	"path/filepath"

	"zr/internal/stack/proposal"
	"zr/pkg/config"
	"zr/pkg/devattach"
)

// Propose says what makes a service of a folder of the project, by what lies in it. Its
// error is a *devattach.Failure.
func (s *Stack) Propose(folder string) (devattach.Proposal, error) {
	return proposalsFor(s.cfg).Service(folder)
}

// proposalsFor is the project of a configuration, for services to be proposed.
func proposalsFor(cfg *config.Config) *proposal.Project {
	return &proposal.Project{
		Root:    cfg.Root,
		Config:  cfg.Name(),
		Overlay: filepath.ToSlash(relative(cfg.Root, cfg.OverlayDir())),
		Has:     func(name string) bool { _, has := cfg.Services[name]; return has },
		Sources: sourcesOf(cfg),
		Local:   cfg.Cluster.Provider == config.ProviderKind,
	}
}

// relative is a path as it is called below root.
func relative(root, path string) string {
	below, err := filepath.Rel(root, path)
	if err != nil {
		return path
	}
	return below
}

// sourcesOf are the folders that services of a configuration are built from, with their names.
func sourcesOf(cfg *config.Config) map[string]string {
	folders := map[string]string{}
	for name, s := range cfg.Services {
		if s.Build == nil {
			continue
		}
		folder := s.Build.Go + s.Build.Node // one of them, or none
		if folder == "" {
			folder = filepath.Dir(s.Build.Dockerfile)
		}
		folders[filepath.ToSlash(filepath.Clean(folder))] = name
	}
	return folders
}
