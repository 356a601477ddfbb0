package postgres

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"zr/internal/api/store/storetest"
	"zr/internal/api/uptime"
)

func TestPeriodsAreMovedOn(t *testing.T) {
	s := open(t, storetest.Database(t))
	await(t, s, "")
	web := uptime.Period{Service: "web", State: "healthy", From: at(0), To: at(5)}
	db := uptime.Period{Service: "db", State: "unhealthy", Reason: "crash", Message: "exit code 1", From: at(1), To: at(9)}
	store := func(periods ...uptime.Period) {
		t.Helper()
		if err := s.StorePeriods(t.Context(), "dev", periods); err != nil {
			t.Fatal(err)
		}
	}
	store(web, db)
	later := web
	later.To = at(10)
	store(later)
	store(web) // of one that lags behind
	next := uptime.Period{Service: "web", State: "starting", From: at(10), To: at(12)}
	store(next)
	if err := s.StorePeriods(t.Context(), "other", []uptime.Period{web}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Periods(t.Context(), "dev", "", at(0))
	if diff := cmp.Diff([]uptime.Period{db, later, next}, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	got, err = s.Periods(t.Context(), "dev", "web", at(11))
	if diff := cmp.Diff([]uptime.Period{next}, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	got, err = s.LastPeriods(t.Context(), "dev")
	if diff := cmp.Diff([]uptime.Period{db, next}, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

// Samples become minutes and those hours, each sample once, however often they are
// added up; and what is too old goes.
func TestSamplesAreAddedUp(t *testing.T) {
	s := open(t, storetest.Database(t))
	await(t, s, "")
	for second := range 2 * 3600 {
		if second%300 != 0 {
			continue
		}
		now := at(second)
		samples := []uptime.Sample{{Service: "web", At: now, Bucket: 100}, {Service: "web", At: now.Add(time.Second), Bucket: 101},
			{Service: "db", At: now, Bucket: uptime.Unanswered}}
		if err := s.StoreSamples(t.Context(), "dev", samples); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.RollUp(t.Context(), "dev", now.Add(2*time.Second)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.PruneUptime(t.Context(), "dev", now); err != nil {
			t.Fatal(err)
		}
	}
	hours, err := s.Latencies(t.Context(), "dev", "web", time.Hour, at(0))
	want := []uptime.Slice{{Service: "web", At: at(0), Histogram: uptime.Histogram{100: 12, 101: 12}}, {Service: "web", At: at(3600), Histogram: uptime.Histogram{100: 12, 101: 12}}}
	if diff := cmp.Diff(want, hours); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	minutes, err := s.Latencies(t.Context(), "dev", "", time.Minute, at(6900))
	want = []uptime.Slice{{Service: "db", At: at(6900), Histogram: uptime.Histogram{uptime.Unanswered: 1}}, {Service: "web", At: at(6900), Histogram: uptime.Histogram{100: 1, 101: 1}}}
	if diff := cmp.Diff(want, minutes); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	count := func() (samples, minutes, hours int) {
		err := s.pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM health_samples), (SELECT count(*) FROM health_latencies WHERE step = 60),
			(SELECT count(*) FROM health_latencies WHERE step = 3600)`).Scan(&samples, &minutes, &hours)
		if err != nil {
			t.Fatal(err)
		}
		return samples, minutes, hours
	}
	if samples, minutes, hours := count(); samples != 3*13 || minutes != 2*24 || hours != 4 {
		t.Errorf("%d samples of the last hour, %d minutes, %d hours", samples, minutes, hours)
	}
	for _, after := range []struct {
		later                   time.Duration
		samples, minutes, hours int
	}{{8 * 24 * time.Hour, 0, 0, 4}, {400 * 24 * time.Hour, 0, 0, 0}} {
		if err := s.PruneUptime(t.Context(), "dev", at(0).Add(after.later)); err != nil {
			t.Fatal(err)
		}
		if samples, minutes, hours := count(); samples != after.samples || minutes != after.minutes || hours != after.hours {
			t.Errorf("after %v: %d samples, %d minutes, %d hours", after.later, samples, minutes, hours)
		}
	}
}

func TestPeriodsAreBounded(t *testing.T) {
	s := open(t, storetest.Database(t))
	await(t, s, "")
	var many []uptime.Period
	for i := range maxPeriods + 50 {
		many = append(many, uptime.Period{Service: "web", State: "starting", From: at(i), To: at(i + 1)})
	}
	if err := s.StorePeriods(t.Context(), "dev", append(many, uptime.Period{Service: "db", State: "healthy", From: at(0), To: at(9)})); err != nil {
		t.Fatal(err)
	}
	if err := s.PruneUptime(t.Context(), "dev", at(maxPeriods+50)); err != nil {
		t.Fatal(err)
	}
	got, err := s.Periods(t.Context(), "dev", "", at(0))
	if err != nil || len(got) != maxPeriods+1 || !got[1].From.Equal(at(50)) {
		t.Errorf("%d are left, %v", len(got), err)
	}
}

// One of several replicas does a piece of work, and another when that one is gone,
// or has lost its connection.
func TestLead(t *testing.T) {
	url := storetest.Database(t)
	first, second := open(t, url), open(t, url)
	await(t, first, "")
	await(t, second, "")
	// The server frees what a connection held some time after that has ended.
	ask := func(s *Store, work string, want bool) {
		t.Helper()
		var got bool
		var err error
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			if got, err = s.Lead(t.Context(), work); err == nil && got == want {
				return
			}
		}
		t.Errorf("%s: got %t, %v; want %t", work, got, err, want)
	}
	ask(first, "a", true)
	ask(first, "a", true)
	ask(second, "a", false)
	ask(second, "b", true)
	storetest.Exec(t, url, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
	ask(second, "a", true)
	ask(first, "a", false)
	second.resign(t.Context())
	ask(first, "b", true)
}
