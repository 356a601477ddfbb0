package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"zr/pkg/cluster"
	"zr/pkg/deploy"
	"zr/pkg/deploy/lease"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// DefaultKeep is how long a namespace of somebody's own is kept that nobody works
// on: over a weekend, with a day to spare.
const DefaultKeep = 72 * time.Hour

// keep renews the time to live of a namespace of somebody's own, where it is there.
func (s *Stack) keep(ctx context.Context, d *deploy.Deployer) error {
	if s.cfg.Namespace == "" {
		return nil
	}
	return d.Keep(ctx, time.Now().Add(s.options.Keep))
}

// keepAndClean renews the time of the environment, before anybody can take it for
// abandoned, and removes those of the cluster whose time has run out. What cannot be
// removed is said, and keeps nobody from working.
func (s *Stack) keepAndClean(ctx context.Context, on *connection) error {
	if s.can().Own {
		return nil
	}
	if err := s.keep(ctx, on.deployer); err != nil {
		return err
	}
	expired, err := on.deployer.Expired(ctx, time.Now())
	if err != nil {
		return err
	}
	for _, e := range expired {
		if err := s.removeExpired(ctx, on.cluster, e); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			s.sink.Emit(event.Notice{Text: err.Error(), Hint: fault.HintOf(err)})
		}
	}
	return nil
}

// removeExpired removes an environment whose time has run out, unless somebody is at
// work on it or has renewed it since.
func (s *Stack) removeExpired(ctx context.Context, c *cluster.Cluster, e deploy.Expired) error {
	failed := func(err error) error {
		return fmt.Errorf("removing %q from namespace %q, which expired %s: %w", e.Set, e.Namespace, e.Since.Local().Format(time.DateTime), err)
	}
	d, err := deploy.New(c.Client, e.Set, e.Namespace)
	if err != nil {
		return failed(err)
	}
	d.Lines = linesOn(s.cfg, c)
	taken, err := d.Lease(ctx, lease.Options{Holder: s.holder()})
	if held := (*lease.Held)(nil); errors.As(err, &held) {
		return nil
	}
	if err != nil {
		return failed(err)
	}
	if taken != nil {
		defer taken.Release()
		var done context.CancelFunc
		ctx, done = taken.Within(ctx)
		defer done()
	}
	if still, err := d.Expired(ctx, time.Now()); err != nil || !slices.Contains(still, e) {
		return err
	}
	if err := d.Remove(ctx, event.Discard, true); err != nil {
		return failed(err)
	}
	s.sink.Emit(event.Notice{Text: fmt.Sprintf("%q was removed from namespace %q with its data: nobody had brought it up since it expired %s", e.Set, e.Namespace, e.Since.Local().Format(time.DateTime))})
	return nil
}

// DownExpired removes every environment of the cluster whose time has run out.
func (s *Stack) DownExpired(ctx context.Context) error {
	return step{"down", "remove what has expired on " + s.clusterName(), func(ctx context.Context) (outcome, error) {
		if s.can().Own {
			return outcome{detail: "nothing expires on a cluster of zr's own", unchanged: true}, nil
		}
		c, err := s.newProvider(nil, nil).Find(ctx)
		if err != nil {
			return outcome{}, err
		}
		d, err := s.deployerOn(c, "")
		if err != nil {
			return outcome{}, err
		}
		expired, err := d.Expired(ctx, time.Now())
		if err != nil {
			return outcome{}, err
		}
		var names []string
		var problems []error
		for _, e := range expired {
			names = append(names, e.Namespace)
			problems = append(problems, s.removeExpired(ctx, c, e))
		}
		return outcome{detail: strings.Join(names, ", "), unchanged: len(names) == 0}, errors.Join(problems...)
	}}.run(ctx, s.sink)
}
