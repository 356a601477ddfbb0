package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"zr/internal/api/kube"
)

// buildEnv is the variable that holds the build hash in the images that zr
// makes. Where the manifest sets it too, the hash is known from outside.
const buildEnv = "ZR_BUILD_HASH"

// settle is how long a container that started may fail its readiness probe
// before it counts as unhealthy: one probe may well come too early, and
// probes are seconds apart.
const settle = 10 * time.Second

// service joins a workload with its pods.
func service(kind string, w *kube.Workload, pods []kube.Pod, now time.Time) Service {
	s := Service{
		Name:    w.Metadata.Name,
		Kind:    kind,
		Ready:   w.Status.ReadyReplicas,
		Desired: desired(w),
	}
	if c := mainContainer(w); c != nil {
		s.Image, s.Build = c.Image, build(c)
	}
	var leaving int
	for i := range pods {
		if !w.Spec.Selector.Matches(pods[i].Metadata.Labels) {
			continue
		}
		if pods[i].Metadata.DeletionTimestamp != nil {
			leaving++
			continue
		}
		p := describe(&pods[i], now)
		s.Pods = append(s.Pods, p)
		s.Restarts += p.Restarts
		if p.Started.After(s.Started) {
			s.Started = p.Started
		}
	}
	slices.SortFunc(s.Pods, func(a, b Pod) int { return cmp.Compare(a.Name, b.Name) })
	s.State, s.Reason = judge(w, s, leaving)
	return s
}

func desired(w *kube.Workload) int32 {
	if w.Spec.Replicas == nil {
		return 1 // the API's default
	}
	return *w.Spec.Replicas
}

// mainContainer is the one named like the workload, otherwise the first.
func mainContainer(w *kube.Workload) *kube.Container {
	all := w.Spec.Template.Spec.Containers
	if len(all) == 0 {
		return nil
	}
	i := slices.IndexFunc(all, func(c kube.Container) bool { return c.Name == w.Metadata.Name })
	return &all[max(i, 0)]
}

func build(c *kube.Container) string {
	for _, e := range c.Env {
		if e.Name == buildEnv {
			return e.Value
		}
	}
	return ""
}

// judge says how a workload is. What a pod suffers from comes before what the
// workload counts: it is the cause.
func judge(w *kube.Workload, s Service, leaving int) (State, *Reason) {
	if s.Desired == 0 {
		return Pending, &Reason{Stopped, "scaled to zero"}
	}
	if c := w.Condition("ReplicaFailure"); c != nil && c.Status == "True" {
		return Unhealthy, &Reason{refused(c.Message), firstLine(c.Message)}
	}
	for _, p := range s.Pods {
		if p.Reason != nil && p.Reason.Code != Scheduling && p.Reason.Code != Waiting {
			return Unhealthy, p.Reason
		}
	}
	for _, p := range s.Pods {
		if p.Reason != nil {
			return Pending, p.Reason
		}
	}
	if c := w.Condition("Progressing"); c != nil && c.Reason == "ProgressDeadlineExceeded" {
		return Unhealthy, &Reason{Rollout, firstLine(c.Message)}
	}
	switch rolledOut := w.Status.ObservedGeneration >= w.Metadata.Generation && w.Status.UpdatedReplicas >= s.Desired; {
	case rolledOut && s.Ready >= s.Desired && len(s.Pods) > 0:
		return Healthy, nil
	case len(s.Pods) == 0 && leaving == 0:
		return Pending, nil
	}
	return Starting, nil
}

// refused tells why the API does not create pods.
func refused(message string) string {
	if strings.Contains(message, "exceeded quota") {
		return Quota
	}
	return NotCreated
}

func describe(p *kube.Pod, now time.Time) Pod {
	d := Pod{Name: p.Metadata.Name, Phase: p.Status.Phase}
	if c := p.Condition("Ready"); c != nil {
		d.Ready = c.Status == "True"
	}
	for _, c := range p.Status.ContainerStatuses {
		d.Restarts += c.RestartCount
		if c.State.Running != nil && c.State.Running.StartedAt.After(d.Started) {
			d.Started = c.State.Running.StartedAt
		}
	}
	for _, c := range p.Status.InitContainerStatuses {
		d.Restarts += c.RestartCount
	}
	if !d.Ready {
		d.Reason = podReason(p, now)
	}
	return d
}

// podReason says why a pod is not ready, nil where it is merely coming up.
func podReason(p *kube.Pod, now time.Time) *Reason {
	if p.Status.Phase == "Failed" {
		if p.Status.Reason == "Evicted" {
			return &Reason{Evicted, firstLine(p.Status.Message)}
		}
		for _, c := range p.Status.ContainerStatuses {
			if t := c.State.Terminated; t != nil && t.ExitCode != 0 {
				return ended(c.Name, t)
			}
		}
		return &Reason{Crash, "the pod failed: " + cmp.Or(firstLine(p.Status.Message), p.Status.Reason, "no reason given")}
	}
	if c := p.Condition("PodScheduled"); c != nil && c.Status == "False" {
		return &Reason{Scheduling, firstLine(c.Message)}
	}
	for _, c := range p.Status.InitContainerStatuses {
		if r := containerReason(c); r != nil {
			return r
		}
		if initialized := p.Condition("Initialized"); c.State.Running != nil && initialized != nil && initialized.Status == "False" {
			return &Reason{Waiting, fmt.Sprintf("init container %q has not ended yet", c.Name)}
		}
	}
	for _, c := range p.Status.ContainerStatuses {
		if r := containerReason(c); r != nil {
			return r
		}
	}
	for _, c := range p.Status.ContainerStatuses {
		if c.Ready || c.State.Running == nil || c.Started == nil || !*c.Started {
			continue
		}
		if now.Sub(lastChange(p, c.State.Running.StartedAt)) >= settle {
			return &Reason{Probe, fmt.Sprintf("container %q runs and fails its readiness probe", c.Name)}
		}
	}
	return nil
}

// lastChange is when the pod last stopped being ready, or its container
// started: from then on it may take a moment.
func lastChange(p *kube.Pod, started time.Time) time.Time {
	if c := p.Condition("Ready"); c != nil && c.LastTransitionTime.After(started) {
		return c.LastTransitionTime
	}
	return started
}

// containerReason says why a container does not run, nil where it runs or is
// being made.
func containerReason(c kube.ContainerStatus) *Reason {
	switch w := c.State.Waiting; {
	case w == nil:
	case w.Reason == "CrashLoopBackOff":
		if t := c.LastState.Terminated; t != nil {
			return ended(c.Name, t)
		}
		return &Reason{Crash, fmt.Sprintf("container %q keeps crashing", c.Name)}
	case strings.Contains(w.Reason, "Image"): // ErrImagePull, ImagePullBackOff, InvalidImageName, ErrImageNeverPull, ...
		return &Reason{ImagePull, fmt.Sprintf("image of container %q: %s", c.Name, cmp.Or(firstLine(w.Message), w.Reason))}
	case strings.HasSuffix(w.Reason, "Error"): // CreateContainerConfigError, CreateContainerError, RunContainerError, ...
		return &Reason{Config, fmt.Sprintf("container %q: %s", c.Name, cmp.Or(firstLine(w.Message), w.Reason))}
	}
	if t := c.State.Terminated; t != nil && t.ExitCode != 0 {
		return ended(c.Name, t)
	}
	return nil
}

func ended(container string, t *kube.Terminated) *Reason {
	if t.Reason == "OOMKilled" {
		return &Reason{OutOfMemory, fmt.Sprintf("container %q took more memory than its limit", container)}
	}
	if t.Signal != 0 {
		return &Reason{Crash, fmt.Sprintf("container %q was ended by signal %d", container, t.Signal)}
	}
	return &Reason{Crash, fmt.Sprintf("container %q ended with exit code %d", container, t.ExitCode)}
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
