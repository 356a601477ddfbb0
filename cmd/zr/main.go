// Command zr takes a machine to a running Kubernetes stack and keeps the stack
// in step with the editor.
package main

import (
	"os"

	"zr/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args, os.Stdout, os.Stderr))
}
