package main

import (
	"fmt"
	"slices"
	"time"
)

// sample is a series of measured times.
type sample []time.Duration

func (s *sample) add(d time.Duration) { *s = append(*s, d) }

// at returns the p-th percentile by nearest rank.
func (s sample) at(p int) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	rank := (p*len(sorted) + 99) / 100
	return sorted[max(rank, 1)-1]
}

func (s sample) median() time.Duration { return s.at(50) }

func (s sample) String() string {
	return fmt.Sprintf("median %8s   p95 %8s   n=%d", short(s.median()), short(s.at(95)), len(s))
}

// short rounds a time to what a reader can use.
func short(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= 10*time.Millisecond:
		return d.Round(time.Millisecond).String()
	default:
		return d.Round(10 * time.Microsecond).String()
	}
}

// row prints one measured series.
func row(what string, s sample) { fmt.Printf("  %-58s %s\n", what, s) }

// against prints how a series compares with that of the bare tool.
func against(what string, zr, bare sample) {
	fmt.Printf("  %-58s %.2f × the bare tool, %+d ms\n", what,
		float64(zr.median())/float64(bare.median()), (zr.median() - bare.median()).Milliseconds())
}

// timed returns how long f took.
func timed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}
