package stack

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"zr/pkg/deploy/render"
	"zr/pkg/event"
	"zr/pkg/health"
)

// TestWhatOthersDoIsTold goes through what somebody else may do to the
// workloads of an environment, and back.
func TestWhatOthersDoIsTold(t *testing.T) {
	applied := []wanted{{"Deployment", "api", true}, {"StatefulSet", "db", false}}
	dev := map[string]string{render.DevLabel: "true"}
	held := func(api ...health.Workload) health.Held {
		return health.Held{Workloads: append(api, health.Workload{Kind: "StatefulSet", Name: "db", Replicas: 3})}
	}
	asApplied := held(health.Workload{Kind: "Deployment", Name: "api", Replicas: 1, PodLabels: dev})
	scaled := held(health.Workload{Kind: "Deployment", Name: "api", Replicas: 3, PodLabels: dev})
	const three = "somebody scaled it to 3 pods: saves reach one of them, so that old and new code answer in turn"
	const one = "\nhint: end what scales it: under zr dev it is one pod"
	for name, tt := range map[string]struct {
		seen  []health.Held
		every time.Duration
		want  []event.Event
		apply int
	}{
		"nothing": {seen: []health.Held{asApplied}},
		"scaled":  {seen: []health.Held{scaled, asApplied}, want: []event.Event{event.Notice{Text: "deployment/api: " + three + "; it is applied anew"}}, apply: 1},
		"scaled now and then": {seen: []health.Held{scaled, asApplied, scaled}, every: 2 * outsideAgain, want: []event.Event{
			event.Notice{Text: "deployment/api: " + three + "; it is applied anew"}, event.Notice{Text: "deployment/api: " + three + "; it is applied anew"},
		}, apply: 2},
		"scaled again and again": {seen: []health.Held{scaled, asApplied, scaled, scaled, asApplied}, want: []event.Event{
			event.Notice{Text: "deployment/api: " + three + "; it is applied anew"},
			event.Problem{Source: "deployment/api", Text: three + one}, event.Problem{Source: "deployment/api", Cleared: true},
		}, apply: 1},
		"scaled to nothing": {
			seen:  []health.Held{held(health.Workload{Kind: "Deployment", Name: "api", PodLabels: dev})},
			want:  []event.Event{event.Notice{Text: "deployment/api: somebody scaled it to no pod: nobody answers, and saves reach nobody; it is applied anew"}},
			apply: 1,
		},
		"up elsewhere": {
			seen: []health.Held{held(health.Workload{Kind: "Deployment", Name: "api", Replicas: 3}), asApplied},
			want: []event.Event{
				event.Problem{Source: "deployment/api", Text: "saves do not reach its pods: somebody applied it without `zr dev`, as `zr up` on another machine does" +
					"\nhint: the key r, or a save of a manifest, takes it back; Ctrl-C leaves it as it is"},
				event.Problem{Source: "deployment/api", Cleared: true},
			},
		},
		"down elsewhere": {
			seen: []health.Held{held(), {}},
			want: []event.Event{gone("deployment/api"), gone("statefulset/db"), event.Problem{Source: "deployment/api", Cleared: true}, event.Problem{Source: "statefulset/db", Cleared: true}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var said []event.Event
			o := &outsiders{sink: event.SinkFunc(func(e event.Event) { said = append(said, e) }), stands: map[string]string{}, fixed: map[string]time.Time{}}
			now, apply := time.Now(), 0
			for _, h := range tt.seen {
				changes := changesOf(applied, h)
				o.over(changes)
				if o.see(changes, now) {
					apply++
				}
				now = now.Add(tt.every)
			}
			o.over(nil)
			if diff := cmp.Diff(tt.want, said); diff != "" || apply != tt.apply {
				t.Errorf("it was applied %d times, want %d\n%s", apply, tt.apply, diff)
			}
		})
	}
}

func gone(source string) event.Event {
	return event.Problem{Source: source, Text: "it is gone from the cluster: somebody deleted it, as `zr down` on another machine does" +
		"\nhint: the key r, or a save of a manifest, brings it back; Ctrl-C leaves it as it is"}
}
