package fleet

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"zr/internal/api/probe"
	"zr/internal/api/store/postgres"
)

// journal keeps what is recorded, or fails.
type journal struct {
	seen []postgres.Observation
	err  error
}

func (j *journal) Record(_ context.Context, seen []postgres.Observation) (int, error) {
	if j.err != nil {
		return 0, j.err
	}
	j.seen = append(j.seen, seen...)
	return len(seen), nil
}

func (j *journal) Prune(context.Context, time.Time) (int, error) { return 0, j.err }

// look is a snapshot at a second, of services given as name, state pairs.
func look(second int, kubernetes string, pairs ...string) *Snapshot {
	s := &Snapshot{At: now.Add(time.Duration(second) * time.Second), Kubernetes: probe.Result{Status: kubernetes}}
	for i := 0; i < len(pairs); i += 2 {
		s.Services = append(s.Services, Service{Name: pairs[i], State: State(pairs[i+1])})
	}
	return s
}

func TestObserver(t *testing.T) {
	j := &journal{}
	o := NewObserver("", nil, j, nil, slog.New(slog.NewTextHandler(io.Discard, nil)))
	step := func(s *Snapshot, err error) {
		j.err = err
		o.observe(s)
		o.flush(t.Context())
	}
	step(look(0, "ok", "db", "healthy", "web", "starting"), nil)
	step(look(1, "ok", "db", "healthy", "web", "starting"), nil)
	step(look(2, "ok", "db", "unhealthy", "web", "healthy"), errors.New("the database is away"))
	step(look(3, "down", "db", "healthy"), errors.New("still")) // web is not seen: not removed
	step(look(4, "ok", "db", "healthy"), nil)
	step(look(5, "ok", "db", "healthy"), nil)
	step(look(6, "ok", "db", "healthy", "web", "starting"), nil)

	var got []string
	for _, seen := range j.seen {
		got = append(got, seen.At.Format("05 ")+seen.Service+" "+seen.State)
	}
	want := []string{"00 db healthy", "00 web starting", "02 db unhealthy", "02 web healthy", "03 db healthy", "04 web removed", "06 web starting"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheBacklogIsBounded(t *testing.T) {
	o := NewObserver("", nil, &journal{err: errors.New("away")}, nil, slog.New(slog.NewTextHandler(io.Discard, nil)))
	for i := range maxBacklog + 10 {
		o.observe(look(i, "ok", "web", []string{"healthy", "unhealthy"}[i%2]))
		o.flush(t.Context())
	}
	if len(o.backlog) != maxBacklog || !o.backlog[maxBacklog-1].At.Equal(now.Add((maxBacklog+9)*time.Second)) {
		t.Errorf("%d held, the last of %v", len(o.backlog), o.backlog[len(o.backlog)-1].At)
	}
}

// A service that is up and down again is not healthy while it is up, and one under
// zr dev is as it is.
func TestFlapsAreNotHealthy(t *testing.T) {
	f := flaps{}
	var last *Snapshot
	for i := range 7 {
		last = look(i, "ok", "dev", []string{"healthy", "unhealthy"}[i%2], "stable", "healthy", "web", []string{"healthy", "unhealthy"}[i%2])
		last.Services[0].Dev = true
		f.judge(last)
	}
	dev, stable, web := last.Services[0], last.Services[1], last.Services[2]
	if dev.State != Healthy || stable.State != Healthy || web.State != Unhealthy || web.Reason.Code != Flapping {
		t.Errorf("got %+v", last.Services)
	}
	calm := look(7+300, "ok", "web", "healthy")
	if f.judge(calm); calm.Services[0].State != Healthy || len(f) != 1 {
		t.Errorf("five minutes later: %+v, of %d services", calm.Services[0], len(f))
	}
}
