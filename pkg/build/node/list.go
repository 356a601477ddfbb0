package node

import (
	"path/filepath"
	"slices"
	"strings"

	"zr/pkg/build"
	"zr/pkg/build/internal/folder"
)

// never are names that are not sources, whatever ignore files say: what tools
// make beside them.
var never = []string{"node_modules", ".git", ".next", ".turbo", ".vercel", ".DS_Store", "next-env.d.ts"}

// newLister finds the sources of a Node.js service.
func newLister(r build.Request) *folder.Lister {
	isNever := func(path string) bool { return slices.Contains(never, filepath.Base(path)) }
	return folder.NewLister(r.Root, filepath.Join(r.Root, r.Spec.Node), isNever, append([]string{r.Spec.Node, r.Platform}, r.Spec.Flags...)...)
}

func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, dir+string(filepath.Separator))
}
