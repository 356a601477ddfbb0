package uptime

import (
	"math"
	"time"
)

// The states of a period.
const (
	Healthy   = "healthy"
	Unhealthy = "unhealthy"
	Starting  = "starting" // also before any pod is there
	Stopped   = "stopped"  // nothing of it is meant to run
)

// Gap is the longest time between two looks that is not unknown: a replica that
// ends takes less to be replaced.
const Gap = 15 * time.Second

// Period is a time in which a service stayed in one state.
type Period struct {
	Service  string
	State    string
	Reason   string // why it was not healthy, one word; or empty
	Message  string // the same in a sentence; or empty
	From, To time.Time
}

// Share is how a time was spent, in seconds.
type Share struct {
	Healthy   float64 `json:"healthy"`
	Unhealthy float64 `json:"unhealthy"`
	Starting  float64 `json:"starting"`
	Stopped   float64 `json:"stopped"`
	Unknown   float64 `json:"unknown" doc:"Nobody looked: the api did not run, or could not see."`
	// Uptime leaves out what was stopped or unknown.
	Uptime *float64 `json:"uptime,omitempty" doc:"Healthy time among the known time in which it was to run, 0 to 1; absent where there was none."`
}

// ShareOf returns how the time between from and to was spent. The periods are
// those of one service, and do not overlap.
func ShareOf(periods []Period, from, to time.Time) Share {
	var s Share
	for _, p := range periods {
		seconds := overlap(p, from, to)
		switch p.State {
		case Healthy:
			s.Healthy += seconds
		case Unhealthy:
			s.Unhealthy += seconds
		case Starting:
			s.Starting += seconds
		case Stopped:
			s.Stopped += seconds
		}
	}
	known := s.Healthy + s.Unhealthy + s.Starting
	s.Unknown = max(0, to.Sub(from).Seconds()-known-s.Stopped)
	if known > 0 {
		up := math.Floor(s.Healthy/known*1e5) / 1e5 // 0.99999, and not 1, of an outage in a year
		s.Uptime = &up
	}
	for _, seconds := range []*float64{&s.Healthy, &s.Unhealthy, &s.Starting, &s.Stopped, &s.Unknown} {
		*seconds = math.Round(*seconds*1000) / 1000
	}
	return s
}

// worst is the state that a person would want to know of.
func (s Share) worst() string {
	switch {
	case s.Unhealthy > 0:
		return Unhealthy
	case s.Starting > 0:
		return Starting
	case s.Healthy > 0:
		return Healthy
	case s.Stopped > 0:
		return Stopped
	}
	return unknown
}

// overlap is how long a period lay between from and to, in seconds.
func overlap(p Period, from, to time.Time) float64 {
	if p.From.After(from) {
		from = p.From
	}
	if p.To.Before(to) {
		to = p.To
	}
	return max(0, to.Sub(from).Seconds())
}

// Outage is a time in which a service was to run and was not healthy. Coming up is
// part of one, and no outage by itself.
type Outage struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to" doc:"When it ended, or was last seen."`
	Seconds float64   `json:"seconds"`
	Reason  string    `json:"reason" doc:"The first reason of it."`
	Message string    `json:"message"`
	// End says how it ended.
	End string `json:"end" enum:"healthy,stopped,unseen,lasting" doc:"lasting: it goes on; unseen: nobody looked any more."`
}

// The ends of an Outage that are no states.
const (
	unseen  = "unseen"
	lasting = "lasting"
)

// OutagesOf returns the outages that periods hold, the newest first. The periods
// are those of one service, in order.
func OutagesOf(periods []Period, now time.Time) []Outage {
	all := []Outage{}
	var run []Period // what may be one outage
	end := func(how string) {
		if o, ok := outageOf(run, how); ok {
			all = append([]Outage{o}, all...)
		}
		run = nil
	}
	for _, p := range periods {
		if len(run) > 0 && p.From.Sub(run[len(run)-1].To) > Gap {
			end(unseen)
		}
		if p.State == Healthy || p.State == Stopped {
			end(p.State)
			continue
		}
		run = append(run, p)
	}
	if len(run) > 0 && now.Sub(run[len(run)-1].To) > Gap {
		end(unseen)
	}
	end(lasting)
	return all
}

func outageOf(run []Period, end string) (Outage, bool) {
	for _, p := range run {
		if p.State == Unhealthy {
			o := Outage{From: run[0].From, To: run[len(run)-1].To, Reason: p.Reason, Message: p.Message, End: end}
			o.Seconds = math.Round(o.To.Sub(o.From).Seconds()*1000) / 1000
			return o, true
		}
	}
	return Outage{}, false
}
