package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"zr/pkg/kube/object"
)

// The reasons of a waiting container, as the kubelet names them
// (pkg/kubelet/images and pkg/kubelet/container of Kubernetes).
var (
	imageWaits = []string{"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName",
		"ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed"}
	configWaits = []string{"CreateContainerConfigError"}
	startWaits  = []string{"CreateContainerError", "RunContainerError", "PreCreateHookError", "PreStartHookError", "PostStartHookError"}
)

func (s *Snapshot) containerReason(t Target, p *object.Pod, c object.ContainerStatus, role string, now time.Time) *Reason {
	name := fmt.Sprintf("%s %q", role, c.Name)
	if w := c.State.Waiting; w != nil {
		switch {
		case slices.Contains(imageWaits, w.Reason):
			return s.imageReason(t, p, c, w)
		case slices.Contains(configWaits, w.Reason):
			return configReason(name, w.Message)
		case slices.Contains(startWaits, w.Reason):
			r := &Reason{Cause: Crash, Text: fmt.Sprintf("%s cannot be started: %s", name, startFailure(w.Message)),
				Pod: p.Name, Container: c.Name, Crashes: Endings(c),
				Hint: "check its command and securityContext in the manifest"}
			r.foreign()
			return r
		case c.LastState.Terminated != nil:
			return s.crashReason(t, p, c, name, c.LastState.Terminated, true)
		}
		return nil
	}
	if last := c.State.Terminated; last != nil {
		if last.ExitCode == 0 && (role == "init container" || t.Kind == object.Job) {
			return nil
		}
		return s.crashReason(t, p, c, name, last, false)
	}
	last, run := c.LastState.Terminated, c.State.Running
	if run == nil || last == nil || role == "init container" && c.Ready && !isSidecar(p, c.Name) {
		return nil
	}
	if now.Sub(run.StartedAt) < doubted(t, p, c) {
		return s.crashReason(t, p, c, name, last, true)
	}
	return nil
}

func (s *Snapshot) imageReason(t Target, p *object.Pod, c object.ContainerStatus, w *object.Waiting) *Reason {
	r := &Reason{Cause: Image, Grace: grace}
	msg := w.Message
	// While it backs off, older kubelets say only that; the event says why.
	if e := s.warning(p.UID, "Failed", "InspectFailed", "ErrImageNeverPull"); e != nil && !strings.Contains(msg, ": ") {
		msg = e.Message
	}
	switch w.Reason {
	case "InvalidImageName":
		r.Text = fmt.Sprintf("the name of image %q is not valid: %s", c.Image, msg)
		r.Hint, r.Hopeless, r.Grace = "correct the image in the manifest", true, 0
	case "ErrImageNeverPull":
		r.Text = fmt.Sprintf("image %q is not on node %s, and may not be pulled", c.Image, p.Spec.NodeName)
		r.Hint, r.Hopeless = t.Lines.Zr("up")+" loads it; zr images ls shows what there is", true
	default:
		r.Text = fmt.Sprintf("image %q cannot be pulled: %s", c.Image, pullFailure(msg))
		r.Hint = "does the image exist under this name, and may the cluster read its registry?"
		if PullRefused(msg) {
			r.Hint = "its registry refuses the nodes: give its pods a pull secret (imagePullSecrets), or the nodes a right on the registry"
		}
	}
	return r
}

// refusals are what kubelets and container runtimes pass on of a registry that
// knows nobody, or refuses whom it knows.
var refusals = []string{"401 Unauthorized", "403 Forbidden", "authorization failed", "authentication required", "no basic auth credentials"}

// PullRefused says whether the reason why an image cannot be pulled is that its
// registry refuses the nodes.
func PullRefused(reason string) bool {
	return slices.ContainsFunc(refusals, func(words string) bool { return strings.Contains(reason, words) })
}

// configReason says why a container cannot be made as its manifest has it.
func configReason(name, msg string) *Reason {
	r := &Reason{Cause: Config, Text: fmt.Sprintf("%s: %s", name, msg)}
	switch {
	case strings.Contains(msg, "runAsNonRoot") && strings.Contains(msg, "non-numeric user"):
		r.Hint, r.Hopeless, r.Grace = "the kubelet cannot tell by its name that the image's user is not root: set runAsUser to its number beside runAsNonRoot in the manifest", true, grace
	case strings.Contains(msg, "breaks non-root policy"):
		r.Hint, r.Hopeless, r.Grace = "runAsUser: 0 is root, which runAsNonRoot forbids: correct one of them in the manifest", true, grace
	case strings.Contains(msg, "runAsNonRoot"):
		r.Hint, r.Hopeless, r.Grace = "the image runs as root: set runAsUser to another user beside runAsNonRoot in the manifest, or build the image with one", true, grace
	default:
		r.Hint = "add what is missing to the settings or secrets, or correct the name in the manifest"
	}
	return r
}

// Prove adds the lines of a log that show the reason.
func (r *Reason) Prove(lines []string) {
	r.Proof = append(r.Proof, lines...)
	r.foreign()
}

// foreign completes the reason for a program that the node cannot run. Of some
// runtimes its log says so, and nothing else.
func (r *Reason) foreign() {
	if strings.Contains(r.Text, "exec format error") || len(r.Proof) > 0 && strings.HasSuffix(r.Proof[len(r.Proof)-1], "exec format error") {
		r.Hint = "the program is for another processor than the node's, or a script without a first line that names its interpreter: build the image for the node's platform"
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
func (s *Snapshot) crashReason(t Target, p *object.Pod, c object.ContainerStatus, name string, last *object.Terminated, previous bool) *Reason {
	r := &Reason{Cause: Crash, Hint: t.logs() + " shows the whole log",
		Pod: p.Name, Container: c.Name, Crashes: Endings(c), Logged: true, Previous: previous}
	probe := s.warning(p.UID, "Unhealthy")
	switch {
	case last.Reason == "OOMKilled":
		r.Text = name + " was killed: it used more memory than its limit" + limitOf(p, c.Name)
		r.Hint = "raise resources.limits.memory in the manifest"
	case last.Reason == "StartError" || last.Reason == "ContainerCannotRun":
		r.Text = fmt.Sprintf("%s cannot be started: %s", name, startFailure(last.Message))
		r.Hint, r.Logged = "check its command in the manifest", false
	case probe != nil && killedByProbe(last, probe):
		r.Text = fmt.Sprintf("%s was restarted: %s", name, strings.TrimSpace(probe.Message))
	case last.Signal != 0:
		r.Text = fmt.Sprintf("%s was killed by %s", name, signalName(int(last.Signal)))
	case last.ExitCode == 128+9 && limitOf(p, c.Name) != "":
		// containerd may miss the kernel's word that memory ran out, so nobody
		// can say who sent the signal.
		r.Text = name + " was killed by SIGKILL (exit code 137)"
		r.Hint = "the kernel sends SIGKILL where a container uses more memory than its limit" + limitOf(p, c.Name) + ": raise resources.limits.memory in the manifest, or see " + t.logs()
	case last.ExitCode > 128 && last.ExitCode < 128+65: // how shells and runtimes report signals, of which there are 64
		r.Text = fmt.Sprintf("%s was killed by %s (exit code %d)", name, signalName(int(last.ExitCode)-128), last.ExitCode)
	case last.ExitCode == 0:
		r.Text = name + " ended with exit code 0; it is expected to run on"
	default:
		r.Text = fmt.Sprintf("%s crashed with exit code %d", name, last.ExitCode)
	}
	switch {
	case c.RestartCount == 1:
		r.Text += ", 1 restart"
	case c.RestartCount > 1:
		r.Text += fmt.Sprintf(", %d restarts", c.RestartCount)
	}
	return r
}

// killedByProbe tells whether a container ended since the kubelet stopped it
// for its liveness or startup probe: the probe failed shortly before.
func killedByProbe(ended *object.Terminated, probe *object.Event) bool {
	if !strings.HasPrefix(probe.Message, "Liveness") && !strings.HasPrefix(probe.Message, "Startup") {
		return false
	}
	before := ended.FinishedAt.Sub(probe.Time())
	// The container has its grace period (30 s unless told) to end.
	return before > -2*time.Second && before < recently
}

// signals are the names of the signals that end a process of Linux, by their numbers
// (signal(7)). Those of this machine may be others: SIGBUS is 10 on macOS.
var signals = map[int]string{
	1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
	9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM",
	16: "SIGSTKFLT", 24: "SIGXCPU", 25: "SIGXFSZ", 26: "SIGVTALRM", 27: "SIGPROF", 29: "SIGIO", 30: "SIGPWR", 31: "SIGSYS",
}

func signalName(n int) string {
	if name, known := signals[n]; known {
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

// Endings is how often a container has ended. A restart is counted when the
// next instance starts.
func Endings(c object.ContainerStatus) int32 {
	if c.State.Running == nil && (c.State.Terminated != nil || c.LastState.Terminated != nil) {
		return c.RestartCount + 1
	}
	return c.RestartCount
}

func limitOf(p *object.Pod, container string) string {
	for _, c := range slices.Concat(p.Spec.Containers, p.Spec.InitContainers) {
		if c.Name == container {
			if q, ok := c.Resources.Limits["memory"]; ok {
				return " of " + q
			}
		}
	}
	return ""
}
