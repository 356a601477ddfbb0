// Command dashboardimages builds the images of the dashboard for a platform and writes
// them to a folder, an OCI layout: dashboardimages linux/amd64 DIR. It is run in the
// folder of the sources.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"zr/internal/stack"
	"zr/pkg/event"
	"zr/pkg/fault"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: dashboardimages OS/ARCH DIR")
		os.Exit(fault.Usage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	sources, err := os.Getwd()
	if err == nil {
		err = stack.ShipDashboard(ctx, sources, os.Args[1], os.Args[2], event.Discard)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "dashboardimages:", err)
		os.Exit(1)
	}
}
