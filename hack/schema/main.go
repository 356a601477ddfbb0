// Command schema writes the JSON Schema of zr's configuration to the file that
// it is given. `go generate` runs it in pkg/config.
package main

import (
	"fmt"
	"os"
)

func main() {
	schema, err := generate(".")
	if err == nil {
		err = os.WriteFile(os.Args[1], schema, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "schema:", err)
		os.Exit(1)
	}
}
