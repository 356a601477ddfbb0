package devloop

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"zr/pkg/event"
)

// Manifests is everything that says how the services run: the overlay, the
// configuration, the secrets.
type Manifests struct {
	// Label names the unit in events.
	Label string
	// Apply loads, renders and applies everything anew, and leaves what runs as
	// it is when something is wrong with it. It returns the wait for the health
	// of what was applied, or nil where somebody else waits for it.
	Apply func(ctx context.Context) (healthy func(ctx context.Context) error, err error)
	// Healthy is that wait for what was applied before the first save.
	Healthy func(ctx context.Context) error

	applied bool // by the run that ended last: what it failed at came later

	mu     sync.Mutex
	files  map[string]bool
	dirs   []string
	failed bool // the last run
}

// Watch sets the files that count, and the folders below which every file does.
func (m *Manifests) Watch(files, dirs []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files, m.dirs = map[string]bool{}, dirs
	for _, f := range files {
		m.files[f] = true
	}
}

// outside returns the files that count and lie outside of the folder root, but for
// those of remote bases, which are gone once they are rendered.
func (m *Manifests) outside(root string) (files []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for file := range m.files {
		if _, err := os.Stat(file); err == nil && !below(file, root) {
			files = append(files, file)
		}
	}
	return files
}

// Name returns the unit's label.
func (m *Manifests) Name() string { return m.Label }

// First waits for the health of what was applied already: saves are acted on
// meanwhile, and one of them may be what fixes it.
func (m *Manifests) First() Work { return Work{Action: event.Apply, Quiet: true} }

// Plan applies when a file of the overlay or the configuration changes. Where
// that failed the last time, what is missing may be anywhere: a resource that
// is not there yet, or the code of a service that does not get healthy.
func (m *Manifests) Plan(path string) Decision {
	m.mu.Lock()
	defer m.mu.Unlock()
	for file := range m.files {
		if file == path || strings.HasPrefix(file, path+string(filepath.Separator)) {
			return Decision{m.Label, event.Apply, "the manifests are rendered from it"}
		}
	}
	for _, dir := range m.dirs {
		if strings.HasPrefix(path, dir+string(filepath.Separator)) {
			return Decision{m.Label, event.Apply, "it lies in a folder of the manifests"}
		}
	}
	if m.failed {
		return Decision{m.Label, event.Apply, "applying failed, and this may fix it"}
	}
	return ignored
}

// Run applies everything that is written down, and waits until it is healthy.
func (m *Manifests) Run(ctx context.Context, work Work, trace *event.Reload) error {
	trace.Action = event.Apply // whatever key was pressed
	err := m.run(ctx, work, trace)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failed = err != nil && ctx.Err() == nil
	if err != nil {
		return stopped(ctx, faultOf(err))
	}
	return nil
}

func (m *Manifests) run(ctx context.Context, work Work, trace *event.Reload) error {
	healthy := m.Healthy
	if m.applied = work.Quiet; !m.applied {
		begin := time.Now()
		var err error
		if healthy, err = m.Apply(ctx); err != nil {
			return err
		}
		m.applied = true
		trace.Sent = time.Since(begin)
	}
	if healthy == nil {
		return nil
	}
	begin := time.Now()
	defer func() { trace.Healthy = time.Since(begin) }()
	return healthy(ctx)
}

// State says whether the cluster was made to say what is written down. How its
// services are is for them to tell.
func (m *Manifests) State(err error) event.ServiceState {
	e := event.ServiceState{Service: m.Label, State: event.Applied}
	switch {
	case err != nil && m.applied:
		e.Reason = "not everything is healthy"
	case err != nil:
		e.State, e.Reason = event.Failed, "what the cluster was told before stays"
	}
	return e
}
