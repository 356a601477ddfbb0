package uptime

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func at(second int) time.Time { return noon.Add(time.Duration(second) * time.Second) }

// seen has a tracker see states, each for every second until the next begins; "" is
// a time in which nobody looks.
func seen(t *tracker, until int, states ...any) {
	for i := 0; i < len(states); i += 2 {
		end := until
		if i+2 < len(states) {
			end = states[i+2].(int)
		}
		for second := states[i].(int); second < end && states[i+1] != ""; second++ {
			t.see(Period{Service: "web", State: states[i+1].(string)}, at(second))
		}
	}
}

func TestTimeInWhichNobodyLookedIsUnknown(t *testing.T) {
	tr := newTracker()
	seen(tr, 400, 0, Starting, 10, Healthy, 100, "", 200, Healthy, 300, Unhealthy, 320, Healthy, 330, "", 340, Healthy)
	got := ShareOf(tr.unsaved(), at(-100), at(400))
	if got.Uptime == nil {
		t.Fatal("no uptime")
	}
	// 99 to 200 and -100 to 0 were not looked at, and the last second is not over.
	if want := (Share{Healthy: 89 + 100 + 79, Unhealthy: 20, Starting: 10, Unknown: 100 + 101 + 1, Uptime: got.Uptime}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if *got.Uptime < 0.8993 || *got.Uptime > 0.8994 { // 268 of 298
		t.Errorf("uptime %v", *got.Uptime)
	}
	if none := ShareOf(tr.unsaved(), at(-100), at(-1)); none.Uptime != nil || none.Unknown != 99 {
		t.Errorf("before anybody looked: %+v", none)
	}
}

func TestWhatWasStoredIsGoneOnWith(t *testing.T) {
	stored := []Period{{Service: "web", State: Healthy, From: at(0), To: at(95)}}
	for name, c := range map[string]struct {
		state string
		first int
		want  []Period
	}{
		"the same state":            {Healthy, 100, []Period{{Service: "web", State: Healthy, From: at(0), To: at(109)}}},
		"another state":             {Unhealthy, 100, []Period{{Service: "web", State: Healthy, From: at(0), To: at(100)}, {Service: "web", State: Unhealthy, From: at(100), To: at(109)}}},
		"another state, seen twice": {Unhealthy, 90, []Period{{Service: "web", State: Unhealthy, From: at(95), To: at(109)}}},
		"too long ago":              {Healthy, 111, []Period{{Service: "web", State: Healthy, From: at(111), To: at(119)}}},
	} {
		tr := newTracker()
		seen(tr, max(110, c.first+9), c.first, c.state)
		tr.resume(stored)
		if diff := cmp.Diff(c.want, tr.unsaved()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestOutages(t *testing.T) {
	tr := newTracker()
	seen(tr, 1000, 0, Starting, 20, Healthy, 100, Starting, 110, Unhealthy, 130, Starting, 140, Healthy, 200, Unhealthy, 210, Stopped, 300, Unhealthy, 310, "",
		400, Starting, 410, Healthy, 990, Unhealthy)
	got := OutagesOf(tr.unsaved(), at(1000))
	want := []Outage{
		{From: at(990), To: at(999), Seconds: 9, End: lasting},
		{From: at(300), To: at(309), Seconds: 9, End: unseen},
		{From: at(200), To: at(210), Seconds: 10, End: Stopped},
		{From: at(100), To: at(140), Seconds: 40, End: Healthy},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatWaitsIsBounded(t *testing.T) {
	tr := newTracker()
	for second := range maxHeld + 100 {
		tr.see(Period{Service: "web", State: []string{Healthy, Unhealthy}[second%2]}, at(second))
	}
	if len(tr.ended) != maxHeld || !tr.ended[maxHeld-1].To.Equal(at(maxHeld+99)) {
		t.Errorf("%d wait, the last until %v", len(tr.ended), tr.ended[len(tr.ended)-1].To)
	}
}
