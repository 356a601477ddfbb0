// Command zr-api is the backend of the dashboard: what runs in its namespace,
// how it is, and how it was.
package main

import (
	"os"

	"zr/internal/api"
)

func main() { os.Exit(api.Main(os.Getenv, os.Stdout)) }
