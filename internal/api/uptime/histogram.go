// Package uptime says how healthy services were: how much of a time each was
// healthy, how long its answers took, and its outages. Time in which nobody
// looked is unknown, and never counts as healthy.
package uptime

import (
	"math"
	"slices"
	"time"
)

// growth is the ratio of the bounds of a bucket: a percentile is wrong by 2.5 %
// at most. With it 367 buckets reach from a microsecond to a minute.
const growth = 1.05

// Unanswered is the bucket of a question without an answer.
const Unanswered int16 = -1

// longest is the longest latency that is told from longer ones.
const longest = time.Minute

// BucketOf returns the bucket of a latency.
func BucketOf(took time.Duration) int16 {
	us := float64(min(max(took, time.Microsecond), longest).Nanoseconds()) / 1000
	return int16(math.Round(math.Log(us) / math.Log(growth)))
}

// milliseconds is the latency that a bucket stands for, its geometric middle, to
// three digits.
func milliseconds(bucket int16) float64 {
	ms := math.Pow(growth, float64(bucket)) / 1000
	scale := math.Pow(10, 2-math.Floor(math.Log10(ms)))
	return math.Round(ms*scale) / scale
}

// Histogram counts latencies by bucket. All have the same bounds, so that those of
// minutes are merged by adding, in SQL as here, and say what one of all of their
// samples would.
type Histogram map[int16]int64

// Merge adds another.
func (h Histogram) Merge(other Histogram) {
	for bucket, n := range other {
		h[bucket] += n
	}
}

// Latency sums up the answers of a time.
type Latency struct {
	Asked      int64    `json:"asked" doc:"How many questions there were."`
	Unanswered int64    `json:"unanswered" doc:"How many of them the service did not answer as it should."`
	P50        *float64 `json:"p50,omitempty" doc:"Milliseconds within which half of the answers came, to 2.5 %."`
	P95        *float64 `json:"p95,omitempty"`
	P99        *float64 `json:"p99,omitempty"`
}

// Latency returns what a histogram says.
func (h Histogram) Latency() Latency {
	l := Latency{Unanswered: h[Unanswered]}
	buckets := make([]int16, 0, len(h))
	for bucket, n := range h {
		l.Asked += n
		if bucket != Unanswered {
			buckets = append(buckets, bucket)
		}
	}
	slices.Sort(buckets)
	answered := l.Asked - l.Unanswered
	if answered == 0 {
		return l
	}
	quantile := func(q float64) *float64 {
		rank, seen := int64(math.Ceil(q*float64(answered))), int64(0)
		i := 0
		for ; i < len(buckets)-1; i++ {
			if seen += h[buckets[i]]; seen >= rank {
				break
			}
		}
		ms := milliseconds(buckets[i])
		return &ms
	}
	l.P50, l.P95, l.P99 = quantile(0.5), quantile(0.95), quantile(0.99)
	return l
}

// Slice is the histogram of a service in one step of time.
type Slice struct {
	Service string
	At      time.Time
	Histogram
}
