package lastchange

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"zr/internal/api/fleet"
	"zr/internal/api/kube"
	"zr/internal/api/store/postgres"
)

// world is a service that people change in all ways that there are, with what the API
// server and the database keep of it, and the truth, which neither has.
type world struct {
	*rand.Rand
	now     time.Time
	managed map[string]time.Time // when each manager wrote it last, in whole seconds
	key     kube.Key             // that it has
	acts    []postgres.AuditRecord
	runs    []postgres.RunChange
	by      string // who changed it last; empty for somebody that zr does not know
	what    string
	story   []string
}

var people = []string{"ada", "bob", "eve"}

// actions are those of the dashboard and what they do to the service, by the target that
// they are recorded for.
var actions = map[string]map[string]string{
	"web": {"restartService": Restarted, "stopService": Stopped, "startService": Started, "scaleService": Scaled, "rollbackService": RolledBack,
		"rebuildService": ""},
	"db":                {"restartService": ""},
	"settings":          {"changeSettings": Configured, "restoreSettings": Configured},
	"secrets/API_TOKEN": {"setSecret": Configured},
}

// step has something happen within some seconds, or within the same one.
func (w *world) step() {
	w.now = w.now.Add(time.Duration(w.Int64N(int64([]time.Duration{300 * time.Millisecond, 4 * time.Second, 90 * time.Second}[w.IntN(3)]))))
	who := people[w.IntN(len(people))]
	switch w.IntN(7) {
	case 0, 1: // a run that writes the workload, and tells it, or is killed before
		if second := w.now.Truncate(time.Second); w.managed["zr"].Equal(second) {
			w.now = second.Add(time.Second) // runs on one environment wait for each other
		}
		w.write("zr", who, Deployed)
		if w.IntN(4) > 0 {
			w.runs = append(w.runs, postgres.RunChange{Service: "web", Type: "service.written", User: who, At: w.now, Written: w.managed["zr"]})
		}
	case 2:
		w.by, w.what = who, Reloaded
		w.runs = append(w.runs, postgres.RunChange{Service: "web", Type: "reload", User: who, At: w.now})
		w.tell("%s saves", who)
	case 3:
		w.write([]string{"kubectl-edit", "helm"}[w.IntN(2)], "", Changed)
	default:
		w.act(who)
	}
}

// act is something in the dashboard: it changes the workload or not, and is recorded when
// that has taken effect, or never, where the api is killed before.
func (w *world) act(who string) {
	targets := slices.Sorted(maps.Keys(actions))
	target := targets[w.IntN(len(targets))]
	of := slices.Sorted(maps.Keys(actions[target]))
	action := of[w.IntN(len(of))]
	what := actions[target][action]
	outcome := postgres.Done
	var key kube.Key
	for i := range key {
		key[i] = byte(w.IntN(256))
	}
	switch writes := what != "" && w.IntN(3) > 0; {
	case writes:
		w.write("zr-api", who, what)
		w.key = key
	case target == "web" && what != "":
		outcome = postgres.Failed
	default: // settings and secrets that it does not read are other services'
		if w.IntN(2) == 0 {
			outcome = postgres.Failed
		}
	}
	if w.IntN(6) == 0 {
		outcome = postgres.Failed // it has not taken effect in its time
	}
	if w.IntN(10) == 0 {
		w.tell("%s does %s of %s, and the api is killed", who, action, target)
		return
	}
	at := w.now.Add(time.Duration(w.Int64N(int64(time.Minute))))
	w.acts = append(w.acts, postgres.AuditRecord{Key: key, At: at, Actor: who, Action: action, Target: target, Outcome: outcome})
	w.tell("%s does %s of %s, recorded as %s at %s", who, action, target, outcome, at.Format("04:05.000"))
}

func (w *world) write(manager, by, what string) {
	w.managed[manager], w.by, w.what = w.now.Truncate(time.Second), by, what
	w.tell("%s writes, by %q", manager, by)
}

func (w *world) tell(format string, args ...any) {
	w.story = append(w.story, w.now.Format("04:05.000 ")+fmt.Sprintf(format, args...))
}

// last is the write that the API server tells.
func (w *world) last() (last fleet.Write, known bool) {
	for manager, at := range w.managed {
		switch {
		case at.After(last.At):
			last = fleet.Write{Manager: manager, At: at, Act: w.key}
		case at.Equal(last.At):
			last.Manager = ""
		}
	}
	return last, !last.At.IsZero()
}

// Acts is part of Source: what is recorded by now.
func (w *world) Acts(_ context.Context, keys [][16]byte) (found []postgres.AuditRecord, _ error) {
	for _, a := range w.acts {
		if slices.Contains(keys, a.Key) && !a.At.After(w.now) {
			found = append(found, a)
		}
	}
	return found, nil
}

// LastRunChanges is part of Source.
func (w *world) LastRunChanges(context.Context, string, []string) (found []postgres.RunChange, _ error) {
	of := map[string]postgres.RunChange{}
	for _, r := range w.runs {
		of[r.Type] = r
	}
	return slices.Collect(maps.Values(of)), nil
}

// Whatever people do, a name is that of who changed the service last, also while the acts of
// others are at work. Most of them are named once their acts are recorded.
func TestWhoIsNamedHasDoneIt(t *testing.T) {
	named, asked, kinds := 0, 0, map[string]int{}
	for seed := range uint64(400) {
		w := &world{Rand: rand.New(rand.NewPCG(seed, 14)), now: at(0), managed: map[string]time.Time{}}
		for range 20 {
			w.step()
			last, known := w.last()
			if !known {
				continue
			}
			for _, later := range []time.Duration{0, 5 * time.Second, time.Minute} {
				then := *w
				then.now = w.now.Add(later)
				all, err := of(t.Context(), &then, "lab", map[string]fleet.Write{"web": last})
				if err != nil {
					t.Fatal(err)
				}
				got := all["web"]
				if got.By != "" && (got.By != w.by || got.What != w.what) {
					t.Fatalf("seed %d, %s later: it says %+v, and it was %q, who %s it:\n%s", seed, later, got, w.by, w.what, strings.Join(w.story, "\n"))
				}
				if later < time.Minute {
					continue
				}
				asked++
				if got.By != "" {
					named++
					kinds[got.What]++
				}
			}
		}
	}
	t.Logf("%d of %d were named: %v", named, asked, kinds)
	for _, what := range []string{Deployed, Reloaded, Restarted, Stopped, Started, Scaled, RolledBack, Configured} {
		if kinds[what] == 0 {
			t.Errorf("nobody was ever named who %s it", what)
		}
	}
	if named < asked/2 {
		t.Errorf("%d of %d were named", named, asked)
	}
}
