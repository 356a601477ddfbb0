// Command zr-agent is PID 1 of a container under `zr dev`, and of the pod that makes
// layers near their registry.
package main

import (
	"os"

	"zr/internal/agent"
	"zr/internal/agent/layers"
	"zr/pkg/agentspec"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == agentspec.LayersArgument {
		os.Exit(layers.Main())
	}
	os.Exit(agent.Main())
}
