package postgres

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"zr/internal/api/store/storetest"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func at(second int) time.Time { return noon.Add(time.Duration(second) * time.Second) }

func TestOnlyChangesAreRecorded(t *testing.T) {
	s := open(t, storetest.Database(t))
	await(t, s, "")
	seen := []Observation{
		{Service: "web", State: "starting", At: at(0)},
		{Service: "db", State: "healthy", At: at(0)},
		{Service: "web", State: "starting", At: at(1)},
		{Service: "web", State: "unhealthy", Reason: "crash", Message: "exit code 1", Build: "b1", At: at(2)},
		{Service: "web", State: "unhealthy", Reason: "crash", Message: "exit code 2", Build: "b1", At: at(3)},
		{Service: "web", State: "healthy", Build: "b2", At: at(4)},
		{Service: "web", State: "starting", At: at(3)}, // of a replica that lags behind
	}
	n, err := s.Record(t.Context(), seen)
	if err != nil || n != 4 {
		t.Fatalf("recorded %d, %v; want 4", n, err)
	}
	if n, err := s.Record(t.Context(), seen); err != nil || n != 0 {
		t.Fatalf("recorded %d again, %v; want 0", n, err)
	}
	got, err := s.History(t.Context(), "", "web", 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	want := []Event{
		{ID: got[0].ID, Service: "web", State: "healthy", Previous: "unhealthy", Build: "b2", At: at(4)},
		{ID: got[1].ID, Service: "web", State: "unhealthy", Previous: "starting", Reason: "crash", Message: "exit code 1", Build: "b1", At: at(2)},
		{ID: got[2].ID, Service: "web", State: "starting", At: at(0)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	if got, err := s.History(t.Context(), "", "", 0, 2); err != nil || len(got) != 2 {
		t.Fatalf("got %d events, %v; want the last 2 of all services", len(got), err)
	}
}

func TestReplicasRecordAChangeOnce(t *testing.T) {
	url := storetest.Database(t)
	first, second := open(t, url), open(t, url)
	await(t, first, "")
	await(t, second, "")
	states := []string{"healthy", "unhealthy"}
	var changes atomic.Int64
	for round := range 20 {
		var wg sync.WaitGroup
		for _, s := range []*Store{first, second} {
			wg.Go(func() {
				n, err := s.Record(t.Context(), []Observation{{Service: "web", State: states[round%2], At: at(round)}})
				if err != nil {
					t.Error(err)
				}
				changes.Add(int64(n))
			})
		}
		wg.Wait()
	}
	if changes.Load() != 20 {
		t.Fatalf("%d changes, want 20", changes.Load())
	}
}

func TestPrune(t *testing.T) {
	s := open(t, storetest.Database(t))
	await(t, s, "")
	if _, err := s.Record(t.Context(), []Observation{
		{Service: "web", State: "starting", At: at(0)}, {Service: "web", State: "healthy", At: at(10)},
	}); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Prune(t.Context(), at(5)); err != nil || n != 1 {
		t.Fatalf("pruned %d, %v; want 1", n, err)
	}
}
