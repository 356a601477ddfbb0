package fleet

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"zr/internal/api/lifecycle"
	"zr/pkg/agentspec"
	"zr/pkg/diagnose"
	"zr/pkg/event"
	"zr/pkg/kube/object"
)

// buildEnv is the variable that holds the build hash in the images that zr
// makes. Where the manifest sets it too, the hash is known from outside.
const buildEnv = "ZR_BUILD_HASH"

// kinds are those of the services, in the order in which they get their names: a
// Job that is called like a Deployment is "job/<name>", as it is for zr.
var kinds = []string{object.Deployment, object.StatefulSet, object.DaemonSet, object.Job}

// named is a workload under the name of its service.
type named struct {
	name string
	*object.Workload
}

// workloads returns those of the services that a namespace holds.
func workloads(s *diagnose.Snapshot) (all []named) {
	s.Workloads(func(w *object.Workload) {
		if w.Owner() == nil { // the Jobs of a CronJob come and go
			all = append(all, named{w.Name, w})
		}
	})
	slices.SortFunc(all, func(a, b named) int {
		return cmp.Or(cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)), cmp.Compare(a.name, b.name))
	})
	taken := map[string]bool{}
	for i := range all {
		if taken[all[i].name] {
			all[i].name = strings.ToLower(all[i].Kind) + "/" + all[i].name
		}
		taken[all[i].name] = true
	}
	return all
}

// services makes one Service of each workload that a namespace holds.
func services(s *diagnose.Snapshot, now time.Time) []Service {
	var all []Service
	for _, w := range workloads(s) {
		svc := service(s, w.Workload, now)
		svc.Name = w.name
		all = append(all, svc)
	}
	return all
}

// service says how one workload is.
func service(s *diagnose.Snapshot, w *object.Workload, now time.Time) Service {
	t := target(s, w)
	f := s.Look(t, now)
	svc := Service{Name: w.Name, Kind: w.Kind, Generation: w.Generation, Ready: f.Rollout.Ready, Desired: f.Rollout.Desired, Image: f.Rollout.Image, written: lastWrite(&w.Meta)}
	if needs := w.Annotations[lifecycle.DependsOnAnnotation]; needs != "" {
		svc.DependsOn = strings.Split(needs, ",")
	}
	if c := w.Main(); c != nil {
		svc.Build, _ = c.EnvOf(buildEnv)
		_, svc.Dev = c.EnvOf(agentspec.EnvToken)
	}
	for _, p := range slices.Concat(f.Rollout.Current, f.Rollout.Earlier) {
		if p.DeletionTimestamp != nil {
			continue
		}
		d := describe(s, t, p, now)
		svc.asked = append(svc.asked, targetOf(w, p))
		svc.Pods = append(svc.Pods, d)
		svc.Restarts += d.Restarts
		if d.Started.After(svc.Started) {
			svc.Started = d.Started
		}
	}
	slices.SortFunc(svc.Pods, func(a, b Pod) int { return cmp.Compare(a.Name, b.Name) })
	svc.State, svc.Reason = judge(f, t, len(svc.Pods))
	return svc
}

// target says of a workload what its manifest would, as far as its object tells.
func target(s *diagnose.Snapshot, w *object.Workload) diagnose.Target {
	t := diagnose.Target{Service: w.Name, Kind: w.Kind, Namespace: w.Namespace, Replicas: object.Wanted(w.Spec.Replicas),
		Services: s.ServicesFor(w.Namespace, w.Spec.Template.Labels)}
	if t.Replicas == 0 {
		t.Idle = "scaled to zero"
	}
	return t
}

// judge puts a finding into the words of the api.
func judge(f diagnose.Finding, t diagnose.Target, pods int) (State, *Reason) {
	switch state := f.State(); {
	case state == event.Healthy:
		return Healthy, nil
	case state == event.Stopped:
		return Pending, &Reason{Stopped, f.Rollout.Idle}
	case state == event.Unhealthy:
		return Unhealthy, reasonOf(f.Wrong(t))
	case pods == 0:
		return Pending, reasonOf(f.Wrong(t))
	}
	return Starting, reasonOf(f.Wrong(t))
}

func reasonOf(r diagnose.Reason) *Reason { return &Reason{r.Cause.String(), firstLine(r.Text)} }

func describe(s *diagnose.Snapshot, t diagnose.Target, p *object.Pod, now time.Time) Pod {
	d := Pod{Name: p.Name, Phase: p.Status.Phase, Ready: p.Ready(), Restarts: p.Restarts()}
	for _, c := range p.Status.ContainerStatuses {
		if c.State.Running != nil && c.State.Running.StartedAt.After(d.Started) {
			d.Started = c.State.Running.StartedAt
		}
	}
	if wrong := s.PodReason(t, p, now); wrong != nil && !d.Ready {
		d.Reason = reasonOf(*wrong)
	}
	return d
}

// firstLine keeps a message of Kubernetes short enough for one line of a page.
func firstLine(message string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	const longest = 300
	if len(line) > longest {
		line = strings.ToValidUTF8(line[:longest], "") + "…"
	}
	return line
}
