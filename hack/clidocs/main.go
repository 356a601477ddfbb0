// Command clidocs prints the reference of zr's command line, docs/cli.md.
package main

import (
	"fmt"
	"os"

	"zr/internal/cli"
)

func main() { fmt.Fprint(os.Stdout, cli.Reference()) }
