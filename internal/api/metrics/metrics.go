// Package metrics counts what the api does, and writes it as Prometheus reads it.
package metrics

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// Set is what is counted. It is safe for concurrent use.
type Set struct {
	counted *metrics.Set // of requests and streams

	mu      sync.Mutex
	sources []Source
}

// Source adds what it knows now to a page.
type Source func(ctx context.Context, p *Page)

// New returns a Set that has counted nothing.
func New() *Set {
	metrics.ExposeMetadata(true) // the type of each name
	return &Set{counted: metrics.NewSet()}
}

// Add has sources asked for each page.
func (s *Set) Add(sources ...Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sources = append(s.sources, sources...)
}

// bounds are those of the times of requests, in seconds: from a look into memory to the
// longest that a form may take.
var bounds = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15, 60}

// switching is the status of a request that became a stream, and took as long as somebody
// watched.
const switching = 101

// Request counts one that was answered. Route is a pattern, so that there are few.
func (s *Set) Request(method, route string, status int, took time.Duration) {
	s.counted.GetOrCreateCounter(named("zr_api_requests_total", "method", method, "route", route, "status", fmt.Sprint(status))).Inc()
	if status != switching {
		s.counted.GetOrCreatePrometheusHistogramExt(named("zr_api_request_seconds", "route", route), bounds).Update(took.Seconds())
	}
}

// Stream counts one that is open, until closed is called.
func (s *Set) Stream(route string) (closed func()) {
	open := s.counted.GetOrCreateGauge(named("zr_api_streams_open", "route", route), nil)
	open.Inc()
	return open.Dec
}

// Write writes a page of everything, with what the process and the runtime of Go know of
// themselves.
func (s *Set) Write(ctx context.Context, w io.Writer) {
	s.mu.Lock()
	sources := s.sources
	s.mu.Unlock()
	page := &Page{metrics.NewSet()}
	for _, add := range sources {
		add(ctx, page)
	}
	s.counted.WritePrometheus(w)
	page.set.WritePrometheus(w)
	metrics.WriteProcessMetrics(w)
}

// Page is what sources add to.
type Page struct{ set *metrics.Set }

// Counter adds something that only grows. Labels are names and values in turn.
func (p *Page) Counter(name string, value int64, labels ...string) {
	p.set.GetOrCreateCounter(named(name, labels...)).Set(uint64(max(value, 0)))
}

// Gauge adds something that goes up and down.
func (p *Page) Gauge(name string, value float64, labels ...string) {
	p.set.GetOrCreateGauge(named(name, labels...), nil).Set(value)
}

// Flag adds a gauge that is 1 or 0.
func (p *Page) Flag(name string, on bool, labels ...string) {
	value := 0.0
	if on {
		value = 1
	}
	p.Gauge(name, value, labels...)
}

var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// named is a name with its labels, as Prometheus writes it.
func named(name string, labels ...string) string {
	if len(labels) == 0 {
		return name
	}
	var b strings.Builder
	b.WriteString(name)
	for i := 0; i+1 < len(labels); i += 2 {
		b.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
		b.WriteString(labels[i] + `="` + escaped.Replace(labels[i+1]) + `"`)
	}
	b.WriteString("}")
	return b.String()
}
