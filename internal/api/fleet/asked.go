package fleet

import (
	"context"
	"fmt"
	"slices"
	"time"

	"zr/internal/api/podprobe"
	"zr/internal/api/probe"
	"zr/pkg/diagnose"
	"zr/pkg/kube/object"
)

// Readiness says how a service is asked whether it is ready.
type Readiness struct {
	Asks string `json:"asks,omitempty" doc:"Its own readiness probe, such as \"GET :8080/health\"."`
	By   string `json:"by" enum:"api,kubelet" doc:"Who is taken at his word. Where the api is, it asks every five seconds."`
	Why  string `json:"why,omitempty" doc:"The api does not ask: there is no probe, it is a command within the container, or no connection leads there, as where a NetworkPolicy refuses it."`
}

// Answer is what came of asking one pod.
type Answer struct {
	Readiness
	Status    string     `json:"status" enum:"ready,not ready"`
	Text      string     `json:"text,omitempty" doc:"What it answered to the api, such as \"200 OK\"."`
	LatencyMS float64    `json:"latencyMs,omitempty"`
	At        *time.Time `json:"at,omitempty" doc:"When the api asked."`
}

// ask asks the pods of the namespace, over and over.
func (r *Reader) ask(ctx context.Context) {
	defer r.asker.Wait()
	tick := time.NewTicker(podprobe.Every)
	defer tick.Stop()
	for ctx.Err() == nil {
		moved := r.informer.moved()
		held, _, err := r.informer.look()
		if err != nil { // not read yet, or away
			select {
			case <-moved:
			case <-ctx.Done():
			}
			continue
		}
		r.asker.Round(ctx, targets(held))
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// targets are the pods of the services that run.
func targets(s *diagnose.Snapshot) (all []podprobe.Target) {
	for _, svc := range services(s, time.Now()) {
		for _, t := range svc.asked {
			if svc.Kind != object.Job && t.Pod.Status.Phase == object.PodRunning { // those of a Job are to end
				all = append(all, t)
			}
		}
	}
	return all
}

// targetOf is a pod of a workload, with the container that is asked.
func targetOf(w *object.Workload, p *object.Pod) podprobe.Target {
	t := podprobe.Target{Pod: p}
	if main := w.Main(); main != nil {
		if i := slices.IndexFunc(p.Spec.Containers, func(c object.Container) bool { return c.Name == main.Name }); i >= 0 {
			t.Container = &p.Spec.Containers[i]
		}
	}
	return t
}

// addAsked joins what pods answered with what Kubernetes says of their services. One that
// Kubernetes calls healthy, and of which a ready pod fails as often as its probe allows,
// is not. What the api could not ask changes nothing.
func (r *Reader) addAsked(all []Service) {
	for i := range all {
		svc := &all[i]
		var failing *Reason
		for _, t := range svc.asked {
			a := r.answerOf(t)
			if svc.Readiness == nil || a.By == podprobe.ByAPI {
				said := r.readiness(a)
				svc.Readiness = &said
			}
			if a.By != podprobe.ByAPI {
				continue
			}
			result := probe.Result{Status: probe.OK, LatencyMS: milliseconds(a.Latency)}
			if a.Status != podprobe.Ready {
				result.Status, result.Reason = probe.Down, r.secrets.Text(firstLine(a.Text))
			}
			if svc.Measured == nil || result.Status == probe.Down && svc.Measured.Status == probe.OK || result.Status == svc.Measured.Status && result.LatencyMS > svc.Measured.LatencyMS {
				svc.Measured = &result
			}
			if a.Failing && t.Pod.Ready() {
				failing = &Reason{diagnose.Unready.String(), fmt.Sprintf("%s answers to %s: %s", t.Pod.Name, r.secrets.Text(a.Asks), result.Reason)}
			}
		}
		if failing != nil && svc.State == Healthy {
			svc.State, svc.Reason = Unhealthy, failing
		}
	}
}

func (r *Reader) readiness(a podprobe.Answer) Readiness {
	return Readiness{Asks: r.secrets.Text(a.Asks), By: a.By, Why: a.Why}
}

// answer is what is known of the readiness of a pod.
func (r *Reader) answer(t podprobe.Target) *Answer {
	a := r.answerOf(t)
	out := &Answer{Readiness: r.readiness(a), Status: a.Status, Text: r.secrets.Text(firstLine(a.Text)), LatencyMS: milliseconds(a.Latency)}
	if a.By == podprobe.ByAPI {
		out.At = &a.At
	}
	return out
}

// milliseconds rounds to microseconds: more is noise.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
