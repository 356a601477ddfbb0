package uptime

import (
	"context"
	"fmt"
	"time"
)

// Source is where what was recorded is read. *postgres.Store is one.
type Source interface {
	// Periods returns those of a service or, where it is empty, of all, that reach
	// beyond a time, by service and in order.
	Periods(ctx context.Context, environment, service string, from time.Time) ([]Period, error)
	// Latencies returns histograms of whole minutes or hours from a time on, by
	// service and in order.
	Latencies(ctx context.Context, environment, service string, step time.Duration, from time.Time) ([]Slice, error)
}

// The windows of time that are looked back on.
const (
	Hour = time.Hour
	Day  = 24 * time.Hour
	Week = 7 * Day
)

// Windows are the shares of the windows that every report has.
type Windows struct {
	Hour Share `json:"hour"`
	Day  Share `json:"day" doc:"24 hours."`
	Week Share `json:"week" doc:"7 days."`
}

// Point is one step of a curve.
type Point struct {
	At    time.Time `json:"at" doc:"The beginning of the step."`
	State string    `json:"state" enum:"healthy,unhealthy,starting,stopped,unknown" doc:"The worst state of the step; stopped or unknown where it was nothing else."`
	// Uptime is absent where nothing is known of the step.
	Uptime *float64 `json:"uptime,omitempty"`
	P95    *float64 `json:"p95,omitempty" doc:"Milliseconds; absent where nothing was answered."`
}

// Summary is how one service was.
type Summary struct {
	Service string  `json:"service"`
	State   string  `json:"state" enum:"healthy,unhealthy,starting,stopped,unknown"`
	Uptime  Windows `json:"uptime"`
	Latency Latency `json:"latency" doc:"Over the asked window."`
	Points  []Point `json:"points" doc:"The asked window, the oldest first."`
}

// Report is all that is known of how one service was.
type Report struct {
	Summary
	Outages []Outage `json:"outages" doc:"Those of the asked window, the newest first."`
}

// unknown is the state of a service that nobody looks at.
const unknown = "unknown"

// StepOf returns the length of a Point: a curve has 12 to 28 in the overview, and
// 60 to 168 where it is fine.
func StepOf(window time.Duration, fine bool) time.Duration {
	switch {
	case window <= Hour && fine:
		return time.Minute
	case window <= Hour:
		return 5 * time.Minute
	case window <= Day && fine:
		return 15 * time.Minute
	case window <= Day || fine:
		return time.Hour
	}
	return 6 * time.Hour
}

// Reports returns how the services of an environment were, over a window before
// now: one, or all where service is empty, which have coarser curves then. What was
// never seen in the last week is not in it.
func Reports(ctx context.Context, from Source, environment, service string, window time.Duration, now time.Time) ([]Report, error) {
	periods, err := from.Periods(ctx, environment, service, now.Add(-max(window, Week)))
	if err != nil {
		return nil, fmt.Errorf("reading the uptime: %w", err)
	}
	step := StepOf(window, service != "")
	begin := now.Truncate(step).Add(step - window)
	unit := time.Minute
	if step >= time.Hour {
		unit = time.Hour
	}
	latencies, err := from.Latencies(ctx, environment, service, unit, begin)
	if err != nil {
		return nil, fmt.Errorf("reading the uptime: %w", err)
	}
	byService := map[string][]Slice{}
	for _, l := range latencies {
		byService[l.Service] = append(byService[l.Service], l)
	}
	reports := []Report{}
	for len(periods) > 0 {
		n := 1
		for n < len(periods) && periods[n].Service == periods[0].Service {
			n++
		}
		reports = append(reports, report(periods[:n], byService[periods[0].Service], begin, step, now))
		periods = periods[n:]
	}
	return reports, nil
}

// report is that of one service.
func report(periods []Period, latencies []Slice, begin time.Time, step time.Duration, now time.Time) Report {
	last := &periods[len(periods)-1]
	r := Report{Summary: Summary{Service: last.Service, State: unknown}}
	if now.Sub(last.To) <= Gap { // it is on its way to the database
		r.State, last.To = last.State, maxTime(now, last.To)
	}
	r.Uptime = Windows{Hour: ShareOf(periods, now.Add(-Hour), now), Day: ShareOf(periods, now.Add(-Day), now), Week: ShareOf(periods, now.Add(-Week), now)}
	whole := Histogram{}
	for at := begin; at.Before(now); at = at.Add(step) {
		end := at.Add(step)
		part := Histogram{}
		for len(latencies) > 0 && latencies[0].At.Before(end) {
			part.Merge(latencies[0].Histogram)
			latencies = latencies[1:]
		}
		whole.Merge(part)
		if end.After(now) {
			end = now
		}
		share := ShareOf(periods, at, end)
		r.Points = append(r.Points, Point{At: at.UTC(), State: share.worst(), Uptime: share.Uptime, P95: part.Latency().P95})
	}
	r.Latency = whole.Latency()
	r.Outages = []Outage{}
	for _, o := range OutagesOf(periods, now) {
		if !o.To.Before(begin) {
			r.Outages = append(r.Outages, o)
		}
	}
	return r
}
