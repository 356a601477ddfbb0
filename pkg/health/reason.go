package health

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// cause is the kind of a reason. Where several pods fail differently, the
// cause that comes first here is told: it is nearest to what must be mended.
type cause int

const (
	missing    cause = iota // the workload is not there
	scaled                  // it is told to have fewer pods than the manifest asks for
	refusal                 // its pods may not be made: quota, Pod Security
	image                   // an image cannot be had
	config                  // a ConfigMap, Secret or volume is not there
	failed                  // a Job was given up
	crash                   // a container ends by itself
	scheduling              // no node takes the pod
	evicted                 // a node gave the pod up
	unreached               // one of its Services does not lead to it
	unready                 // it runs, and does not answer as it should
)

// reason is why a service is not healthy.
type reason struct {
	cause cause
	text  string
	proof []string
	hint  string
	// hopeless reasons do not go away by waiting, once they lasted for settle.
	hopeless bool
	settle   time.Duration
	// pod and container name what fails, where it is one container; crashes is
	// how often it ended. logged says that its log proves the reason, and
	// previous that it is in the log of the instance before.
	pod, container   string
	crashes          int32
	logged, previous bool
	// process says that it is not the container that ends, but the process that
	// an agent starts in it.
	process bool
}

// settle is how long a state that looks hopeless must last: it may be what is
// left of the run before, and the kubelet looks again after 10 s.
const settle = 15 * time.Second

// settleSoon is for a state that only a person changes.
const settleSoon = 3 * time.Second

// shownLines is how many log lines prove a crash: a Go panic with its first
// goroutine, or a Node stack trace, fits.
const shownLines = 12

// wroteNothing stands for the log of a container that has none.
const wroteNothing = "it wrote nothing to its log"

// diagnose returns the best reason why a rollout is not done, or nil where
// nothing is wrong (yet).
func (s *snapshot) diagnose(t Target, r rollout, now time.Time) *reason {
	if !r.found {
		return &reason{cause: missing, hopeless: true, settle: settle,
			text: fmt.Sprintf("%s is not in namespace %q", t.workload(), t.Namespace),
			hint: t.Lines.Zr("up") + " applies the manifests"}
	}
	if r.desired < t.wanted() {
		return scaledReason(t, r)
	}
	if r.refused != "" && len(r.current) < int(r.desired) {
		why := refusalReason(t, r.refused)
		why.hopeless = why.hopeless && !r.stale
		return why
	}
	if r.ended || r.idle != "" {
		return nil
	}
	if r.failed != "" {
		return failureReason(t, r)
	}
	var best *reason
	consider := func(pods []*corev1.Pod) {
		for _, p := range pods {
			if p.DeletionTimestamp != nil || r.done && !isReady(p) { // what is left of a pod that was replaced
				continue
			}
			if found := s.podReason(t, p, now); found != nil && (best == nil || found.cause < best.cause) {
				best = found
				best.pod = p.Name
			}
		}
	}
	consider(r.current)
	if best == nil && t.Kind == "StatefulSet" && len(r.current) == 0 {
		// A broken pod of the template before stops a StatefulSet for good: it
		// is not replaced before it is ready.
		consider(r.earlier)
		if best != nil {
			best.text = "the version before is stuck: " + best.text
			best.hint = t.kubectl("delete", "pod", best.pod) + " lets the new version start"
		}
	}
	if best == nil && r.ready > 0 {
		best = s.unreachedReason(t, r)
	}
	return best
}

// scaledReason is for a workload that somebody told to have fewer pods than its
// manifest asks for.
func scaledReason(t Target, r rollout) *reason {
	return &reason{cause: scaled, hopeless: true, settle: settleSoon,
		text: fmt.Sprintf("%s was scaled to %d, and its manifest asks for %d", t.workload(), r.desired, t.wanted()),
		hint: t.kubectl("scale", strings.ToLower(t.Kind), t.name(), fmt.Sprintf("--replicas=%d", t.wanted())) + "; with replicas in its manifest " + t.Lines.Zr("up") + " does that"}
}

func refusalReason(t Target, msg string) *reason {
	r := &reason{cause: refusal, settle: settle}
	short := msg
	if _, after, ok := strings.Cut(msg, "is forbidden: "); ok {
		short, r.hopeless = after, true
	}
	switch {
	case strings.Contains(msg, "exceeded quota"), strings.Contains(msg, "failed quota"):
		r.text = "quota: " + short
		r.hint = "lower its requests and limits, or raise the quota: " + t.kubectl("describe", "resourcequota")
	case strings.Contains(msg, "usage per "), strings.Contains(msg, "max limit to request ratio per "): // plugin/pkg/admission/limitranger of Kubernetes
		r.text = "a LimitRange forbids its pods: " + short
		r.hint = "keep to its bounds in the manifest, or change them: " + t.kubectl("describe", "limitrange")
	case strings.Contains(msg, "failed calling webhook"):
		r.text = "its pods cannot be made: " + short
		r.hint = "an admission webhook of the cluster does not answer: what serves it has to run first, or the webhook has to go; " +
			t.Lines.Kubectl("get", "validatingwebhookconfigurations,mutatingwebhookconfigurations")
	case strings.Contains(msg, "admission webhook "), strings.Contains(msg, "ValidatingAdmissionPolicy "):
		r.text = "a rule of the cluster's forbids its pods: " + short
		r.hint, r.hopeless = "the message is that rule's own: change the manifest as it says", true
	case strings.Contains(msg, "violates PodSecurity"):
		r.text = "Pod Security forbids its pods: " + short
		r.hint = "change the securityContext in the manifest as the message says"
	case strings.Contains(msg, "error looking up service account"):
		r.text, r.hopeless = "its pods cannot be made: "+short, false
		r.hint = "add the ServiceAccount to the overlay"
	default:
		r.text = "its pods cannot be made: " + short
	}
	return r
}

func (s *snapshot) podReason(t Target, p *corev1.Pod, now time.Time) *reason {
	if p.Status.Phase == corev1.PodFailed && p.Status.Reason != "" {
		return &reason{cause: evicted, text: fmt.Sprintf("pod %s: %s: %s", p.Name, p.Status.Reason, p.Status.Message),
			hint: "the node is short of what the message names; " + t.Lines.Kubectl("describe", "node", p.Spec.NodeName)}
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
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
func started(p *corev1.Pod) bool {
	return slices.ContainsFunc(allStatuses(p), func(c corev1.ContainerStatus) bool {
		return c.State.Running != nil || c.State.Terminated != nil || c.RestartCount > 0
	})
}

// unschedulable says why no node takes a pod; for a volume that is not bound,
// why that is so.
func (s *snapshot) unschedulable(t Target, p *corev1.Pod, msg string) *reason {
	msg, _, _ = strings.Cut(msg, " preemption:") // repeats what was said before
	r := &reason{cause: scheduling, text: "no node takes pod " + p.Name + ": " + strings.TrimSuffix(strings.TrimSpace(msg), ".")}
	switch {
	case strings.Contains(msg, "PersistentVolumeClaim"), strings.Contains(msg, "persistentvolumeclaim"):
		for _, v := range p.Spec.Volumes {
			if v.PersistentVolumeClaim == nil {
				continue
			}
			if e := s.claimWarning(p.Namespace, v.PersistentVolumeClaim.ClaimName); e != nil {
				r.proof = append(r.proof, fmt.Sprintf("claim %s: %s", e.InvolvedObject.Name, e.Message))
			}
		}
		r.hint = t.kubectl("describe", "pvc") + "; does its StorageClass exist?"
	case strings.Contains(msg, "Insufficient"):
		r.hint = "lower its requests, or give the cluster more nodes"
	}
	return r
}

// mountReason says what keeps a pod in ContainerCreating; only events tell.
func (s *snapshot) mountReason(p *corev1.Pod) *reason {
	e := s.warning(p.UID, "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox")
	if e == nil {
		return nil
	}
	r := &reason{cause: config, text: fmt.Sprintf("pod %s: %s", p.Name, e.Message)}
	if strings.Contains(e.Message, "not found") {
		r.hint = "add what is not found to the overlay, or correct its name"
	}
	return r
}

// withProof adds the last log lines to a reason that points at a log.
func (k *kube) withProof(ctx context.Context, ns string, r *reason) *reason {
	if r == nil || !r.logged || len(r.proof) > 0 {
		return r
	}
	lines, err := k.tail(ctx, ns, r.pod, r.container, r.previous, shownLines)
	if len(lines) == 0 {
		// Which instance is the previous one changes at any moment: while a
		// container backs off, its last one is the current one.
		if other, otherErr := k.tail(ctx, ns, r.pod, r.container, !r.previous, shownLines); len(other) > 0 {
			lines, err = other, otherErr
		}
	}
	proven := *r
	switch {
	case err != nil:
		proven.proof = []string{err.Error()}
	case len(lines) == 0:
		proven.proof = []string{wroteNothing}
	default:
		for _, l := range lines {
			proven.proof = append(proven.proof, l.text)
		}
		proven.foreign()
	}
	return &proven
}
