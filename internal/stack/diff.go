package stack

import (
	"context"
	"fmt"
	"strings"

	"zr/pkg/deploy"
)

// ChangeSet is what an apply would change in the cluster.
type ChangeSet = deploy.ChangeSet

// Diff builds what changed, since images are pinned by digest, and asks the cluster
// what an apply would change. It changes nothing there. The changes come with an error where
// the cluster refuses some of them.
func (s *Stack) Diff(ctx context.Context) (*ChangeSet, error) {
	p, on, err := s.find(ctx)
	if err != nil {
		return nil, err
	}
	defer on.close()
	if _, err := p.planPorts(ctx, on); err != nil {
		return nil, err
	}
	platforms, err := p.choosePlatforms(ctx, on.cluster)
	if err != nil {
		return nil, err
	}
	built, _, err := p.onPlatforms(platforms).build(ctx, nil)
	if err != nil {
		return nil, err
	}
	if err := p.pin(ctx, built, nil); err != nil {
		return nil, err
	}
	return on.deployer.Diff(ctx, p.rendered)
}

// Summary counts a change set: "2 created, 1 configured, 30 unchanged".
func Summary(changes *ChangeSet) string {
	var parts []string
	for _, action := range []deploy.Action{deploy.Created, deploy.Configured, deploy.Replaced, deploy.Pruned, deploy.Refused, deploy.Unchanged} {
		if n := changes.Count(action); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, action))
		}
	}
	return strings.Join(parts, ", ")
}
