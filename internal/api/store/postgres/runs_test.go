package postgres

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"zr/internal/api/dev"
	"zr/internal/api/store/storetest"
	"zr/pkg/event"
)

// told stores events of runs, numbered by themselves.
type told struct {
	t    *testing.T
	s    *Store
	seqs map[string]int64
}

func (d *told) tell(run string, second int, e event.Event, service string) {
	d.t.Helper()
	data, err := json.Marshal(e)
	if err != nil {
		d.t.Fatal(err)
	}
	d.seqs[run]++
	one := dev.NewEvent{Seq: d.seqs[run], RunEvent: dev.RunEvent{Run: run, Verb: "dev", User: "ada", Machine: "m", At: at(second), Type: e.Type(), Service: service, Data: data}}
	for range 2 { // told twice, stored once
		if err := d.s.AddRunEvents(d.t.Context(), "dev", []dev.NewEvent{one}); err != nil {
			d.t.Fatal(err)
		}
	}
}

// save tells of one that was live, or not, after a time.
func (d *told) save(second int, service string, lead time.Duration, problem string, rolledBack bool) {
	d.t.Helper()
	d.tell("dev", second, event.Reload{Service: service, Action: event.Restart, Paths: []string{"main.go"}, Noticed: lead / 2, Healthy: lead / 2, Error: problem, RolledBack: rolledBack}, service)
}

// Two services are saved: one is broken twice in a row for 40 s, the other stays
// broken. The environment is brought up, fails, and is brought up again 100 s later.
func TestDelivery(t *testing.T) {
	s := open(t, storetest.Database(t))
	await(t, s, "")
	d := &told{t, s, map[string]int64{}}
	d.save(10, "api", time.Second, "", false)
	d.save(20, "api", 2*time.Second, "it crashed", true)
	d.save(30, "api", 2*time.Second, "main.go:1: no", false)
	d.save(60, "api", 3*time.Second, "", false)
	d.save(70, "web", time.Second, "no", false)
	d.tell("dev", 75, event.Reload{Service: "web", Paths: []string{}, Error: "of no save"}, "web")
	d.tell("dev", 80, event.Reload{Service: "page", Paths: []string{"a.css"}, OnlySent: true}, "page")

	d.tell("up-1", 100, event.StepDone{Step: "apply"}, "")
	d.tell("up-1", 101, event.Ready{Took: 8 * time.Second}, "")
	d.tell("up-2", 110, event.StepDone{Step: "apply", Unchanged: true}, "")
	d.tell("up-2", 111, event.Ready{Took: time.Second}, "")
	d.tell("up-3", 120, event.Failure{Error: "no", Code: 1}, "")
	d.tell("up-4", 210, event.StepDone{Step: "apply"}, "")
	d.tell("up-4", 220, event.Ready{Took: 10 * time.Second}, "")

	got, err := s.Delivery(t.Context(), "dev", at(0), at(3600), 50*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	half, third := 0.5, 1.0/3
	ms := func(n float64) *float64 { return &n }
	want := dev.Delivery{From: at(0), To: at(3600), Step: 50,
		Reloads: dev.Flow{Changes: 6, PerHour: 6, Failed: 3, RolledBack: 1, FailureRate: &half, Lead: &dev.Spread{Count: 2, Median: 2000, P95: 2900},
			Restore: &dev.Spread{Count: 1, Median: 40000, P95: 40000}, Broken: 1,
			Curve: []dev.Moment{{At: at(0), Changes: 3, Failed: 2, Median: ms(1000)}, {At: at(50), Changes: 3, Failed: 1, Median: ms(3000), Restore: ms(40000)}}},
		Deploys: dev.Flow{Changes: 3, PerHour: 3, Failed: 1, FailureRate: &third, Lead: &dev.Spread{Count: 2, Median: 9000, P95: 9900},
			Restore: &dev.Spread{Count: 1, Median: 100000, P95: 100000},
			Curve:   []dev.Moment{{At: at(100), Changes: 2, Failed: 1, Median: ms(8000)}, {At: at(200), Changes: 1, Median: ms(10000), Restore: ms(100000)}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	none, err := s.Delivery(t.Context(), "other", at(0), at(3600), time.Hour)
	if diff := cmp.Diff(dev.Delivery{From: at(0), To: at(3600), Step: 3600, Reloads: dev.Flow{Curve: []dev.Moment{}}, Deploys: dev.Flow{Curve: []dev.Moment{}}}, none); err != nil || diff != "" {
		t.Errorf("of none: %v %s", err, diff)
	}
}

// What is older than the history goes, and what is beyond the bound.
func TestRunEventsAreBounded(t *testing.T) {
	url := storetest.Database(t)
	s := open(t, url)
	await(t, s, "")
	storetest.Exec(t, url, fmt.Sprintf(`INSERT INTO run_events (environment, run, seq, verb, actor, machine, at, type, service, data)
		SELECT 'dev', 'r', n, 'up', 'a', 'm', now(), 'notice', '', '{}' FROM generate_series(1, %d) AS n`, maxRunEvents+50))
	d := &told{t, s, map[string]int64{}}
	d.tell("old", 0, event.Notice{Text: "of last year"}, "")
	if _, err := s.Prune(t.Context(), at(1)); err != nil {
		t.Fatal(err)
	}
	var kept int
	var first int64
	if err := s.pool.QueryRow(t.Context(), "SELECT count(*), min(seq) FROM run_events").Scan(&kept, &first); err != nil || kept != maxRunEvents || first != 51 {
		t.Errorf("%d are kept, from %d on, %v", kept, first, err)
	}
}
