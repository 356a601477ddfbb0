// Package images holds the recipes of the images that must exist where no
// registry can be reached. A recipe is a folder with a recipe.yaml, the files
// that go into the image as they are (root/), and sources that are built for
// it (_src/). pkg/image/recipe runs them.
package images

import "embed"

// FS is the recipes, one folder each. Embedding leaves out nested Go modules,
// so a module in _src/ keeps its go.mod and go.sum as go.mod.txt and
// go.sum.txt.
//
//go:embed all:debian all:kindnode all:nodejs all:postgres all:redis
var FS embed.FS
