package diagnose

import (
	"testing"
	"time"
)

func TestFlapping(t *testing.T) {
	begin := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	type look struct {
		second  int
		version string
		healthy bool
		flaps   bool
	}
	for name, looks := range map[string][]look{
		"stable":    {{0, "1", true, false}, {100, "1", true, false}, {200, "1", true, false}},
		"down once": {{0, "1", true, false}, {10, "1", false, false}, {100, "1", false, false}, {200, "1", true, false}},
		"never up":  {{0, "1", false, false}, {10, "1", false, false}, {20, "1", false, false}, {30, "1", false, false}},
		"up and down": {{0, "1", true, false}, {10, "1", false, false}, {20, "1", true, false}, {30, "1", false, false}, {40, "1", true, false},
			{50, "1", false, true}, {60, "1", true, true}, {309, "1", true, true}, {310, "1", true, false}},
		"slower than that": {{0, "1", true, false}, {100, "1", false, false}, {110, "1", true, false}, {260, "1", false, false}, {270, "1", true, false},
			{410, "1", false, false}, {420, "1", true, false}},
		"changed each time": {{0, "1", true, false}, {10, "2", false, false}, {20, "2", true, false}, {30, "3", false, false}, {40, "3", true, false},
			{50, "4", false, false}, {60, "4", true, false}},
	} {
		var f Flaps
		for _, l := range looks {
			if got := f.See(l.version, l.healthy, begin.Add(time.Duration(l.second)*time.Second)); got != l.flaps {
				t.Errorf("%s, second %d: flaps %t, want %t", name, l.second, got, l.flaps)
			}
		}
	}
}
