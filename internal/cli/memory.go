package cli

import (
	"os"
	"runtime/debug"
)

const (
	// briefPercent is how much a heap may grow before it is collected, and
	// briefLimit, in bytes, where that ends. Of a run with nothing to do, which
	// allocates some 60 MB, collecting took a fifth of the processor's time, for
	// memory that its end gives back anyway.
	briefPercent = 400
	briefLimit   = 96 << 20
)

// brief has the garbage collector do less in a verb that is over in a moment,
// unless the user has settings of their own for it.
func brief() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(briefPercent)
		debug.SetMemoryLimit(briefLimit)
	}
}
