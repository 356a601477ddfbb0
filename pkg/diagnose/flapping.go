package diagnose

import "time"

// A service flaps that lost its health flapsMany times within flapsWithin. Its
// state is true of a moment only, so it is not called healthy until the losses are
// that long ago. Three are more than a restart and a second try; five minutes are
// the longest pause of a container that ends over and over.
const (
	flapsMany   = 3
	flapsWithin = 5 * time.Minute
)

// Flaps remembers when one service lost its health. The zero value is one that
// never did. It is not safe for concurrent use.
type Flaps struct {
	version string
	healthy bool
	losses  []time.Time // of this version, the oldest first
}

// See takes how the service is at a time, and returns whether it flaps. Version
// is what its pods are made from: what a rollout or a stop takes down was wanted,
// and begins the count anew.
func (f *Flaps) See(version string, healthy bool, at time.Time) bool {
	if version != f.version {
		f.version, f.healthy, f.losses = version, false, nil
	}
	if f.healthy && !healthy {
		f.losses = append(f.losses, at)
	}
	f.healthy = healthy
	for len(f.losses) > 0 && at.Sub(f.losses[0]) >= flapsWithin {
		f.losses = f.losses[1:]
	}
	return len(f.losses) >= flapsMany
}
