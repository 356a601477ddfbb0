package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"zr/pkg/kube/object"
)

// Cause is the kind of a reason. Where several pods fail differently, the
// cause that comes first here is told: it is nearest to what must be corrected.
type Cause int

// The causes.
const (
	Missing    Cause = iota // the workload is not there
	Scaled                  // it is told to have fewer pods than the manifest asks for
	Refusal                 // its pods may not be made: quota, Pod Security
	Image                   // an image cannot be had
	Config                  // a ConfigMap, Secret or volume is not there
	Failed                  // a Job was given up
	Crash                   // a container ends by itself
	Scheduling              // no node takes the pod
	Evicted                 // a node gave the pod up
	Unreached               // one of its Services does not lead to it
	Stalled                 // the new version does not get ready in the time that its manifest gives
	Unready                 // it runs, and does not answer as it should
)

var codes = [...]string{Missing: "missing", Scaled: "scaled", Refusal: "refused", Image: "image_pull", Config: "config", Failed: "failed", Crash: "crash",
	Scheduling: "scheduling", Evicted: "evicted", Unreached: "unreached", Stalled: "stalled", Unready: "unready"}

// String returns the code of a cause for programs, such as "image_pull".
func (c Cause) String() string { return codes[c] }

// Reason is why a service is not healthy.
type Reason struct {
	Cause Cause
	Text  string   // in one line
	Proof []string // the lines that show it: the last of a log, for example
	Hint  string   // what to do about it; may be empty
	// Hopeless reasons do not go away by waiting, once they lasted for Grace.
	Hopeless bool
	Grace    time.Duration
	// Pod and Container name what fails, where it is one container; Crashes is
	// how often it ended. Logged says that its log proves the reason, and
	// Previous that it is in the log of the instance before.
	Pod, Container   string
	Crashes          int32
	Logged, Previous bool
	// Process says that it is not the container that ends, but the process that
	// an agent starts in it.
	Process bool
}

// grace is how long a state that looks hopeless must last: it may be what is
// left of the run before, and the kubelet looks again after 10 s.
const grace = 15 * time.Second

// graceShort is for a state that only a person changes.
const graceShort = 3 * time.Second

// WroteNothing stands for the log of a container that has none.
const WroteNothing = "it wrote nothing to its log"

// Reason returns the best reason why a rollout is not done, or nil where
// nothing is wrong (yet).
func (s *Snapshot) Reason(t Target, r Rollout, now time.Time) *Reason {
	if !r.found {
		return &Reason{Cause: Missing, Hopeless: true, Grace: grace,
			Text: fmt.Sprintf("%s is not in namespace %q", t.workload(), t.Namespace),
			Hint: t.Lines.Zr("up") + " applies the manifests"}
	}
	if r.Desired < t.wanted() && r.stopped == "" {
		return scaledReason(t, r)
	}
	if r.refused != "" && len(r.Current) < int(r.Desired) {
		why := refusalReason(t, r.refused)
		why.Hopeless = why.Hopeless && !r.stale
		return why
	}
	if r.Ended || r.Idle != "" {
		return nil
	}
	if r.failed != "" {
		return failureReason(t, r)
	}
	var best *Reason
	consider := func(pods []*object.Pod) {
		for _, p := range pods {
			if p.DeletionTimestamp != nil || r.Done && !p.Ready() { // what is left of a pod that was replaced
				continue
			}
			if found := s.PodReason(t, p, now); found != nil && (best == nil || found.Cause < best.Cause) {
				best = found
				best.Pod = p.Name
			}
		}
	}
	consider(r.Current)
	if best == nil && t.Kind == "StatefulSet" && len(r.Current) == 0 {
		// A broken pod of the template before stops a StatefulSet for good: it
		// is not replaced before it is ready.
		consider(r.Earlier)
		if best != nil {
			best.Text = "the version before is stuck: " + best.Text
			best.Hint = t.kubectl("delete", "pod", best.Pod) + " lets the new version start"
		}
	}
	if best == nil && r.Ready > 0 {
		best = s.unreachedReason(t, r)
	}
	if best == nil && r.stalled != "" && !r.Done {
		best = &Reason{Cause: Stalled, Text: "its rollout takes too long: " + r.stalled, Hint: t.logs() + " shows what it does"}
	}
	return best
}

// scaledReason is for a workload that somebody told to have fewer pods than its
// manifest asks for.
func scaledReason(t Target, r Rollout) *Reason {
	return &Reason{Cause: Scaled, Hopeless: true, Grace: graceShort,
		Text: fmt.Sprintf("%s was scaled to %d, and its manifest asks for %d", t.workload(), r.Desired, t.wanted()),
		Hint: t.kubectl("scale", strings.ToLower(t.Kind), t.name(), fmt.Sprintf("--replicas=%d", t.wanted())) + "; with replicas in its manifest " + t.Lines.Zr("up") + " does that"}
}

func refusalReason(t Target, msg string) *Reason {
	r := &Reason{Cause: Refusal, Grace: grace}
	short := msg
	if _, after, ok := strings.Cut(msg, "is forbidden: "); ok {
		short, r.Hopeless = after, true
	}
	switch {
	case strings.Contains(msg, "exceeded quota"), strings.Contains(msg, "failed quota"):
		r.Text = "quota: " + short
		r.Hint = "lower its requests and limits, or raise the quota: " + t.kubectl("describe", "resourcequota")
	case strings.Contains(msg, "usage per "), strings.Contains(msg, "max limit to request ratio per "): // plugin/pkg/admission/limitranger of Kubernetes
		r.Text = "a LimitRange forbids its pods: " + short
		r.Hint = "keep to its bounds in the manifest, or change them: " + t.kubectl("describe", "limitrange")
	case strings.Contains(msg, "failed calling webhook"):
		r.Text = "its pods cannot be made: " + short
		r.Hint = "an admission webhook of the cluster does not answer: what serves it has to run first, or the webhook has to go; " +
			t.Lines.Kubectl("get", "validatingwebhookconfigurations,mutatingwebhookconfigurations")
	case strings.Contains(msg, "admission webhook "), strings.Contains(msg, "ValidatingAdmissionPolicy "):
		r.Text = "a rule of the cluster's forbids its pods: " + short
		r.Hint, r.Hopeless = "the message is that rule's own: change the manifest as it says", true
	case strings.Contains(msg, "violates PodSecurity"):
		r.Text = "Pod Security forbids its pods: " + short
		r.Hint = "change the securityContext in the manifest as the message says"
	case strings.Contains(msg, "error looking up service account"):
		r.Text, r.Hopeless = "its pods cannot be made: "+short, false
		r.Hint = "add the ServiceAccount to the overlay"
	default:
		r.Text = "its pods cannot be made: " + short
	}
	return r
}

// PodReason says what is wrong with one pod, or nil where nothing is (yet).
func (s *Snapshot) PodReason(t Target, p *object.Pod, now time.Time) *Reason {
	if p.Status.Phase == object.PodFailed && p.Status.Reason != "" {
		return &Reason{Cause: Evicted, Text: fmt.Sprintf("pod %s: %s: %s", p.Name, p.Status.Reason, p.Status.Message),
			Hint: "the node is short of what the message names; " + t.Lines.Kubectl("describe", "node", p.Spec.NodeName)}
	}
	for _, c := range p.Status.Conditions {
		if c.Type == "PodScheduled" && c.Status == "False" && c.Reason == "Unschedulable" {
			return s.unschedulable(t, p, c.Message)
		}
	}
	for _, c := range p.Status.InitContainerStatuses {
		if r := s.containerReason(t, p, c, "init container", now); r != nil {
			return r
		}
	}
	for _, c := range p.Status.ContainerStatuses {
		if r := s.containerReason(t, p, c, "container", now); r != nil {
			return r
		}
	}
	if !started(p) {
		return s.mountReason(p)
	}
	return nil
}

// started tells whether any container of a pod got past its creation.
func started(p *object.Pod) bool {
	return slices.ContainsFunc(p.Statuses(), func(c object.ContainerStatus) bool {
		return c.State.Running != nil || c.State.Terminated != nil || c.RestartCount > 0
	})
}

// unschedulable says why no node takes a pod; for a volume that is not bound,
// why that is so.
func (s *Snapshot) unschedulable(t Target, p *object.Pod, msg string) *Reason {
	msg, _, _ = strings.Cut(msg, " preemption:") // repeats what was said before
	r := &Reason{Cause: Scheduling, Text: "no node takes pod " + p.Name + ": " + strings.TrimSuffix(strings.TrimSpace(msg), ".")}
	switch {
	case strings.Contains(msg, "PersistentVolumeClaim"), strings.Contains(msg, "persistentvolumeclaim"):
		for _, v := range p.Spec.Volumes {
			if v.PersistentVolumeClaim == nil {
				continue
			}
			if e := s.claimWarning(p.Namespace, v.PersistentVolumeClaim.ClaimName); e != nil {
				r.Proof = append(r.Proof, fmt.Sprintf("claim %s: %s", e.InvolvedObject.Name, e.Message))
			}
		}
		r.Hint = t.kubectl("describe", "pvc") + "; does its StorageClass exist?"
	case strings.Contains(msg, "Insufficient"):
		r.Hint = "lower its requests, or give the cluster more nodes"
	}
	return r
}

// mountReason says what keeps a pod in ContainerCreating; only events tell.
func (s *Snapshot) mountReason(p *object.Pod) *Reason {
	e := s.warning(p.UID, "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox")
	if e == nil {
		return nil
	}
	r := &Reason{Cause: Config, Text: fmt.Sprintf("pod %s: %s", p.Name, e.Message)}
	if strings.Contains(e.Message, "not found") {
		r.Hint = "add what is not found to the overlay, or correct its name"
	}
	return r
}
