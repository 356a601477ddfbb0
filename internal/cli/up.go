package cli

import (
	"context"

	"github.com/urfave/cli/v2"

	"zr/internal/stack"
)

func upCommand() *cli.Command {
	return &cli.Command{
		Name:  "up",
		Usage: "bring the stack up: cluster, images, manifests, health",
		Description: `Makes the cluster where there is none, builds what changed, applies the overlay
and waits until every service is healthy. With nothing changed it does nothing.

EXAMPLES:
   zr up
   zr up --env staging
   zr up -o json | jq 'select(.type == "step.done")'`,
		Flags: verbFlags(append([]cli.Flag{changeSecretsFlag(), overwriteFlag(), keepFlag(), &cli.BoolFlag{Name: "merge-kubeconfig", Usage: "also add the cluster to your own kubeconfig"}, dashboardFlag()}, sharedFlags()...)...),
		Action: func(c *cli.Context) error {
			brief()
			return withStack(c, func(ctx context.Context, s *stack.Stack) error {
				return s.Up(ctx, c.Bool("merge-kubeconfig"))
			})
		},
	}
}

// keepFlag is of the verbs that renew the time of a namespace of one's own.
func keepFlag() cli.Flag {
	return &cli.DurationFlag{Name: "keep", Value: stack.DefaultKeep, Usage: "keep a --namespace for this `TIME` after the last up, or dev, on it"}
}

// dashboardFlag is of the verbs that bring an environment up.
func dashboardFlag() cli.Flag {
	return &cli.BoolFlag{Name: "dashboard", Usage: "bring zr's dashboard up beside the environment, from now on; --dashboard=false does without again"}
}

// wantsDashboard returns nil where nothing was said.
func wantsDashboard(c *cli.Context) *bool {
	if !c.IsSet("dashboard") {
		return nil
	}
	wanted := c.Bool("dashboard")
	return &wanted
}

// changeSecretsFlag is of the verbs that apply.
func changeSecretsFlag() cli.Flag {
	return &cli.BoolFlag{Name: "change-secrets", Usage: "also change secrets that a volume may have been made with"}
}

// overwriteFlag is of the verbs that apply.
func overwriteFlag() cli.Flag {
	return &cli.BoolFlag{Name: "overwrite", Usage: "put settings and secrets back that were changed in the cluster; `zr config pull` takes them over instead"}
}
