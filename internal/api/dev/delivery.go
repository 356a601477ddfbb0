package dev

import "time"

// Delivery are the four metrics of DORA over a time, of the inner loop and of the
// environment.
type Delivery struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Step    int       `json:"stepSeconds" doc:"How long a moment of a curve is."`
	Reloads Flow      `json:"reloads" doc:"Of saves under zr dev: each one for each service that it concerns."`
	Deploys Flow      `json:"deploys" doc:"Of runs that changed the cluster, or failed: zr up, and the beginning of zr dev."`
}

// Flow are the metrics of one kind of change.
type Flow struct {
	Changes     int      `json:"changes" doc:"How many there were, failed ones included."`
	PerHour     float64  `json:"perHour" doc:"Frequency: changes in an hour, over the whole time."`
	Failed      int      `json:"failed" doc:"How many failed: what does not compile, does not get healthy, or cannot be applied."`
	RolledBack  int      `json:"rolledBack" doc:"How many of those were taken back, since the new version did not get healthy."`
	FailureRate *float64 `json:"failureRate,omitempty" doc:"Failed among all, 0 to 1; left out where there were none."`
	Lead        *Spread  `json:"leadTime,omitempty" doc:"From the save, or the start of the run, until healthy. Only of changes that a process has taken over."`
	Restore     *Spread  `json:"timeToRestore,omitempty" doc:"From the first failure of a service, or of the environment, to its next change that did not fail."`
	Broken      int      `json:"broken" doc:"How many failures have not been followed by one that did not fail yet."`
	Curve       []Moment `json:"curve" doc:"The same over time, without the slices in which there was nothing, the oldest first."`
}

// Spread says how long something took. Times are in milliseconds.
type Spread struct {
	Count  int     `json:"count"`
	Median float64 `json:"medianMs"`
	P95    float64 `json:"p95Ms"`
}

// Moment is a part of the time.
type Moment struct {
	At      time.Time `json:"at" doc:"When it begins."`
	Changes int       `json:"changes"`
	Failed  int       `json:"failed"`
	Median  *float64  `json:"leadTimeMedianMs,omitempty"`
	Restore *float64  `json:"timeToRestoreMedianMs,omitempty" doc:"Of the failures that ended in it."`
}
