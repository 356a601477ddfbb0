// Command openapi writes the description of the api's routes to the standard
// output.
package main

import (
	"fmt"
	"os"

	"zr/internal/api"
)

func main() {
	document, err := api.Document()
	if err == nil {
		_, err = os.Stdout.Write(document)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}
