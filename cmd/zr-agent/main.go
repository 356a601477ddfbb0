// Command zr-agent is PID 1 of a container under `zr dev`.
package main

import (
	"os"

	"zr/internal/agent"
)

func main() { os.Exit(agent.Main()) }
