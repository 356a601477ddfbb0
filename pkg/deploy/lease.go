package deploy

import (
	"context"

	"zr/pkg/deploy/lease"
)

// Lease takes the lease of the environment, as lease.Take does.
func (d *Deployer) Lease(ctx context.Context, options lease.Options) (*lease.Lease, error) {
	l, err := lease.Take(ctx, d.resource(lease.Kind, d.namespace), d.set, d.namespace, options)
	return l, d.reachable(err)
}
