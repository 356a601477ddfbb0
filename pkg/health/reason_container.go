package health

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
)

// The reasons of a waiting container, as the kubelet names them
// (pkg/kubelet/images and pkg/kubelet/container of Kubernetes).
var (
	imageWaits = []string{"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName",
		"ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed"}
	configWaits = []string{"CreateContainerConfigError"}
	startWaits  = []string{"CreateContainerError", "RunContainerError", "PreCreateHookError", "PreStartHookError", "PostStartHookError"}
)

func (s *snapshot) containerReason(t Target, p *corev1.Pod, c corev1.ContainerStatus, role string, now time.Time) *reason {
	name := fmt.Sprintf("%s %q", role, c.Name)
	if w := c.State.Waiting; w != nil {
		switch {
		case slices.Contains(imageWaits, w.Reason):
			return s.imageReason(t, p, c, w)
		case slices.Contains(configWaits, w.Reason):
			return configReason(name, w.Message)
		case slices.Contains(startWaits, w.Reason):
			r := &reason{cause: crash, text: fmt.Sprintf("%s cannot be started: %s", name, startFailure(w.Message)),
				pod: p.Name, container: c.Name, crashes: ended(c),
				hint: "check its command and securityContext in the manifest"}
			r.foreign()
			return r
		case c.LastTerminationState.Terminated != nil:
			return s.crashReason(t, p, c, name, c.LastTerminationState.Terminated, true)
		}
		return nil
	}
	if last := c.State.Terminated; last != nil {
		if last.ExitCode == 0 && (role == "init container" || t.Kind == kindJob) {
			return nil
		}
		return s.crashReason(t, p, c, name, last, false)
	}
	last, run := c.LastTerminationState.Terminated, c.State.Running
	if run == nil || last == nil || role == "init container" && c.Ready && !isSidecar(p, c.Name) {
		return nil
	}
	if now.Sub(run.StartedAt.Time) < doubted(t, p, c) {
		return s.crashReason(t, p, c, name, last, true)
	}
	return nil
}

func (s *snapshot) imageReason(t Target, p *corev1.Pod, c corev1.ContainerStatus, w *corev1.ContainerStateWaiting) *reason {
	r := &reason{cause: image, settle: settle}
	msg := w.Message
	// While it backs off, older kubelets say only that; the event says why.
	if e := s.warning(p.UID, "Failed", "InspectFailed", "ErrImageNeverPull"); e != nil && !strings.Contains(msg, ": ") {
		msg = e.Message
	}
	switch w.Reason {
	case "InvalidImageName":
		r.text = fmt.Sprintf("the name of image %q is not valid: %s", c.Image, msg)
		r.hint, r.hopeless, r.settle = "correct the image in the manifest", true, 0
	case "ErrImageNeverPull":
		r.text = fmt.Sprintf("image %q is not on node %s, and may not be pulled", c.Image, p.Spec.NodeName)
		r.hint, r.hopeless = t.Lines.Zr("up")+" loads it; zr images ls shows what there is", true
	default:
		r.text = fmt.Sprintf("image %q cannot be pulled: %s", c.Image, pullFailure(msg))
		r.hint = "does the image exist under this name, and may the cluster read its registry?"
	}
	return r
}

// configReason says why a container cannot be made as its manifest has it.
func configReason(name, msg string) *reason {
	r := &reason{cause: config, text: fmt.Sprintf("%s: %s", name, msg)}
	switch {
	case strings.Contains(msg, "runAsNonRoot") && strings.Contains(msg, "non-numeric user"):
		r.hint, r.hopeless, r.settle = "the kubelet cannot tell by its name that the image's user is not root: set runAsUser to its number beside runAsNonRoot in the manifest", true, settle
	case strings.Contains(msg, "breaks non-root policy"):
		r.hint, r.hopeless, r.settle = "runAsUser: 0 is root, which runAsNonRoot forbids: correct one of them in the manifest", true, settle
	case strings.Contains(msg, "runAsNonRoot"):
		r.hint, r.hopeless, r.settle = "the image runs as root: set runAsUser to another user beside runAsNonRoot in the manifest, or build the image with one", true, settle
	default:
		r.hint = "add what is missing to the settings or secrets, or correct the name in the manifest"
	}
	return r
}

// foreign completes the reason for a program that the node cannot run. Of some
// runtimes its log says so, and nothing else.
func (r *reason) foreign() {
	if strings.Contains(r.text, "exec format error") || len(r.proof) > 0 && strings.HasSuffix(r.proof[len(r.proof)-1], "exec format error") {
		r.hint = "the program is for another processor than the node's, or a script without a first line that names its interpreter: build the image for the node's platform"
	}
}

// pullFailure leaves the cause of what containerd and the kubelet wrap into
// each other: `Back-off pulling image "x": ErrImagePull: rpc error: code =
// NotFound desc = failed to pull and unpack image "x": ...`.
func pullFailure(msg string) string {
	if _, desc, ok := strings.Cut(msg, "desc = "); ok {
		msg = desc
	}
	if i := strings.Index(msg, "failed to resolve reference "); i >= 0 {
		msg = msg[i:]
	}
	return msg
}

// crashReason says how a container ended.
func (s *snapshot) crashReason(t Target, p *corev1.Pod, c corev1.ContainerStatus, name string, last *corev1.ContainerStateTerminated, previous bool) *reason {
	r := &reason{cause: crash, hint: t.logs() + " shows the whole log",
		pod: p.Name, container: c.Name, crashes: ended(c), logged: true, previous: previous}
	probe := s.warning(p.UID, "Unhealthy")
	switch {
	case last.Reason == "OOMKilled":
		r.text = name + " was killed: it used more memory than its limit" + limitOf(p, c.Name)
		r.hint = "raise resources.limits.memory in the manifest"
	case last.Reason == "StartError" || last.Reason == "ContainerCannotRun":
		r.text = fmt.Sprintf("%s cannot be started: %s", name, startFailure(last.Message))
		r.hint, r.logged = "check its command in the manifest", false
	case probe != nil && killedByProbe(last, probe):
		r.text = fmt.Sprintf("%s was restarted: %s", name, strings.TrimSpace(probe.Message))
	case last.Signal != 0:
		r.text = fmt.Sprintf("%s was killed by %s", name, signalName(int(last.Signal)))
	case last.ExitCode == 128+9 && limitOf(p, c.Name) != "":
		// containerd may miss the kernel's word that memory ran out, so nobody
		// can say who sent the signal.
		r.text = name + " was killed by SIGKILL (exit code 137)"
		r.hint = "the kernel sends SIGKILL where a container uses more memory than its limit" + limitOf(p, c.Name) + ": raise resources.limits.memory in the manifest, or see " + t.logs()
	case last.ExitCode > 128 && last.ExitCode < 128+65: // how shells and runtimes report signals, of which there are 64
		r.text = fmt.Sprintf("%s was killed by %s (exit code %d)", name, signalName(int(last.ExitCode)-128), last.ExitCode)
	case last.ExitCode == 0:
		r.text = name + " ended with exit code 0; it is expected to run on"
	default:
		r.text = fmt.Sprintf("%s crashed with exit code %d", name, last.ExitCode)
	}
	switch {
	case c.RestartCount == 1:
		r.text += ", 1 restart"
	case c.RestartCount > 1:
		r.text += fmt.Sprintf(", %d restarts", c.RestartCount)
	}
	return r
}

// killedByProbe tells whether a container ended since the kubelet stopped it
// for its liveness or startup probe: the probe failed shortly before.
func killedByProbe(ended *corev1.ContainerStateTerminated, probe *corev1.Event) bool {
	if !strings.HasPrefix(probe.Message, "Liveness") && !strings.HasPrefix(probe.Message, "Startup") {
		return false
	}
	before := ended.FinishedAt.Sub(eventTime(probe).Time)
	// The container has its grace period (30 s unless told) to end.
	return before > -2*time.Second && before < recently
}

func signalName(n int) string {
	if name := unix.SignalName(unix.Signal(n)); name != "" {
		return name
	}
	return fmt.Sprintf("signal %d", n)
}

// startFailure leaves the cause of what runc says: `failed to create
// containerd task: ...: exec: "/nope": stat /nope: no such file or directory`.
func startFailure(msg string) string {
	if i := strings.LastIndex(msg, "exec: "); i >= 0 {
		msg = msg[i:]
	}
	return strings.TrimSuffix(strings.TrimSpace(msg), ": unknown")
}

// ended is how often a container has ended. A restart is counted when the
// next instance starts.
func ended(c corev1.ContainerStatus) int32 {
	if c.State.Running == nil && (c.State.Terminated != nil || c.LastTerminationState.Terminated != nil) {
		return c.RestartCount + 1
	}
	return c.RestartCount
}

// allStatuses are those of the init containers and the containers of a pod.
func allStatuses(p *corev1.Pod) []corev1.ContainerStatus {
	return slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses)
}

func limitOf(p *corev1.Pod, container string) string {
	for _, c := range slices.Concat(p.Spec.Containers, p.Spec.InitContainers) {
		if c.Name == container {
			if q, ok := c.Resources.Limits[corev1.ResourceMemory]; ok {
				return " of " + q.String()
			}
		}
	}
	return ""
}
