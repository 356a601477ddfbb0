package uptime

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Whatever the latencies are and however they are merged, a percentile is that of
// the samples to 2.5 %.
func TestPercentilesAfterMerging(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var all []float64
	merged := Histogram{}
	for range 60 {
		minute := Histogram{}
		for range 1 + random.IntN(20) {
			ms := math.Exp(random.NormFloat64()*2) + 0.01
			all = append(all, ms)
			minute.Merge(Histogram{BucketOf(time.Duration(ms * float64(time.Millisecond))): 1})
		}
		merged.Merge(minute)
	}
	merged.Merge(Histogram{Unanswered: 3})
	slices.Sort(all)
	got := merged.Latency()
	if got.Asked != int64(len(all)+3) || got.Unanswered != 3 {
		t.Errorf("got %+v of %d", got, len(all))
	}
	for q, p := range map[float64]*float64{0.5: got.P50, 0.95: got.P95, 0.99: got.P99} {
		want := all[int(math.Ceil(q*float64(len(all))))-1]
		if off := math.Abs(*p/want - 1); off > 0.031 { // and what rounding to three digits adds
			t.Errorf("the %v quantile is %v, want %v: off by %v", q, *p, want, off)
		}
	}
}

func TestLatenciesAtTheEnds(t *testing.T) {
	if l := (Histogram{Unanswered: 2}).Latency(); l.P50 != nil || l.Asked != 2 || l.Unanswered != 2 {
		t.Errorf("nothing was answered: %+v", l)
	}
	if low, high := BucketOf(0), BucketOf(time.Hour); low != 0 || high != BucketOf(time.Minute) || high != 367 {
		t.Errorf("buckets %d to %d", low, high)
	}
}
