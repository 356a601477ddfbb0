package diagnose

import (
	"strings"
	"testing"
	"time"

	"zr/pkg/kube/object"
)

// container is the status of a pod with one container in some state.
func container(state string) string {
	return `phase: Running, containerStatuses: [{name: api, ready: false, image: img, imageID: "", ` + state + `}]`
}

func ready(status string) string { return strings.Replace(status, "ready: false", "ready: true", 1) }

func warningAbout(kind, uid, reason, message string) string {
	return `kind: Event
metadata: {name: ` + uid + reason + `, namespace: ns}
involvedObject: {kind: ` + kind + `, uid: ` + uid + `, name: ` + uid + `, namespace: ns}
reason: ` + reason + `
message: '` + message + `'
lastTimestamp: "2026-01-02T03:04:00Z"
---
`
}

// TestDiagnose has the messages that Kubernetes writes, in their own words.
func TestDiagnose(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	const making = "replicas: 2, updatedReplicas: 1"
	for _, tc := range []struct {
		name, objects string
		text, hint    string
		hopeless      bool
		crashes       int32
	}{
		{name: "nothing is wrong yet", objects: podOfSet("a", "rs2", "phase: Pending")},
		{name: "it runs and is not ready", objects: podOfSet("a", "rs2", unreadyStatus)},
		{name: "the version before is of no account", objects: podOfSet("a", "rs1", container(`restartCount: 9, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1}}`))},
		{name: "back-off", objects: podOfSet("a", "rs2", container(`restartCount: 0, state: {waiting: {reason: ImagePullBackOff, message: "Back-off pulling image \"img\": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image \"img\": failed to resolve reference \"img\": img: not found"}}`)),
			text: `image "img" cannot be pulled: failed to resolve reference "img": img: not found`, hint: "does the image exist"},
		{name: "a registry that refuses", objects: podOfSet("a", "rs2", container(`restartCount: 0, state: {waiting: {reason: ImagePullBackOff, message: "Back-off pulling image \"img\": ErrImagePull: rpc error: code = Unknown desc = failed to pull and unpack image \"img\": failed to resolve reference \"img\": failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://r/token: 401 Unauthorized"}}`)),
			text: `image "img" cannot be pulled: failed to resolve reference "img": failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://r/token: 401 Unauthorized`, hint: "pull secret (imagePullSecrets)"},
		{name: "back-off of an old kubelet", objects: podOfSet("a", "rs2", container(`restartCount: 0, state: {waiting: {reason: ImagePullBackOff, message: "Back-off pulling image \"img\""}}`)) +
			warningAbout("Pod", "a", "Failed", `Failed to pull image "img": rpc error: code = Unknown desc = no basic auth credentials`), text: `image "img" cannot be pulled: no basic auth credentials`},
		{name: "never", objects: podOfSet("a", "rs2", container(`restartCount: 0, state: {waiting: {reason: ErrImageNeverPull, message: "Container image \"img\" is not present with pull policy of Never"}}`)),
			text: `image "img" is not on node node, and may not be pulled`, hopeless: true},
		{name: "exit", objects: podOfSet("a", "rs2", container(`restartCount: 2, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 3}}`)),
			text: `container "api" crashed with exit code 3, 2 restarts`, hint: "zr logs api", crashes: 3},
		{name: "just ended", objects: podOfSet("a", "rs2", container(`restartCount: 0, state: {terminated: {exitCode: 1}}`)), text: `container "api" crashed with exit code 1`, crashes: 1},
		{name: "signal", objects: podOfSet("a", "rs2", container(`restartCount: 1, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 139}}`)),
			text: `container "api" was killed by SIGSEGV (exit code 139), 1 restart`, crashes: 2},
		{name: "signal of Linux, whatever this machine is", objects: podOfSet("a", "rs2", container(`restartCount: 1, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 135}}`)),
			text: `container "api" was killed by SIGBUS (exit code 135), 1 restart`, crashes: 2},
		{name: "memory", objects: podOfSet("a", "rs2", container(`restartCount: 1, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled}}`)),
			text: `container "api" was killed: it used more memory than its limit of 64Mi, 1 restart`, hint: "limits.memory", crashes: 2},
		{name: "killed, perhaps for its memory", objects: podOfSet("a", "rs2", container(`restartCount: 1, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 137, reason: Error}}`)),
			text: `container "api" was killed by SIGKILL (exit code 137), 1 restart`, hint: "its limit of 64Mi: raise resources.limits.memory", crashes: 2},
		{name: "liveness", objects: podOfSet("a", "rs2", container(`restartCount: 1, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 2, finishedAt: "2026-01-02T03:04:03Z"}}`)) +
			warningAbout("Pod", "a", "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500"),
			text: `container "api" was restarted: Liveness probe failed: HTTP probe failed with statuscode: 500, 1 restart`, crashes: 2},
		{name: "restarted a moment ago", objects: podOfSet("a", "rs2", container(`restartCount: 1, state: {running: {startedAt: "2026-01-02T03:04:00Z"}}, lastState: {terminated: {exitCode: 2}}`)),
			text: `container "api" crashed with exit code 2, 1 restart`, crashes: 1},
		{name: "restarted long ago", objects: podOfSet("a", "rs2", container(`restartCount: 1, state: {running: {startedAt: "2026-01-02T02:00:00Z"}}, lastState: {terminated: {exitCode: 2}}`))},
		{name: "ready between two crashes, since nothing asks it", objects: podOfSet("a", "rs2", ready(container(`restartCount: 1, state: {running: {startedAt: "2026-01-02T03:04:00Z"}}, lastState: {terminated: {exitCode: 2}}`))),
			text: `container "api" crashed with exit code 2, 1 restart`, crashes: 1},
		{name: "ready for a while", objects: podOfSet("a", "rs2", ready(container(`restartCount: 1, state: {running: {startedAt: "2026-01-02T03:03:45Z"}}, lastState: {terminated: {exitCode: 2}}`)))},
		{name: "command", objects: podOfSet("a", "rs2", container(`restartCount: 0, state: {waiting: {reason: RunContainerError, message: "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"/nope\": stat /nope: no such file or directory: unknown"}}`)),
			text: `container "api" cannot be started: exec: "/nope": stat /nope: no such file or directory`},
		{name: "key", objects: podOfSet("a", "rs2", container(`restartCount: 0, state: {waiting: {reason: CreateContainerConfigError, message: "couldn't find key X in ConfigMap ns/settings"}}`)),
			text: `container "api": couldn't find key X in ConfigMap ns/settings`},
		{name: "root", objects: podOfSet("a", "rs2", container(`restartCount: 0, state: {waiting: {reason: CreateContainerConfigError, message: "container has runAsNonRoot and image will run as root (pod: \"a_ns(x)\", container: api)"}}`)),
			text: `container "api": container has runAsNonRoot and image will run as root (pod: "a_ns(x)", container: api)`, hint: "the image runs as root: set runAsUser", hopeless: true},
		{name: "a user by name", objects: podOfSet("a", "rs2", container(`restartCount: 0, state: {waiting: {reason: CreateContainerConfigError, message: "container has runAsNonRoot and image has non-numeric user (node), cannot verify user is non-root"}}`)),
			text: `container "api": container has runAsNonRoot and image has non-numeric user (node), cannot verify user is non-root`, hint: "set runAsUser to its number", hopeless: true},
		{name: "another processor", objects: podOfSet("a", "rs2", container(`restartCount: 0, state: {waiting: {reason: RunContainerError, message: "failed to create containerd task: exec: \"/app\": exec format error"}}`)),
			text: `container "api" cannot be started: exec: "/app": exec format error`, hint: "for another processor"},
		{name: "init container", objects: podOfSet("a", "rs2", `phase: Pending, initContainerStatuses: [{name: wait, ready: false, image: "", imageID: "", restartCount: 0, state: {terminated: {exitCode: 1}}}], containerStatuses: [{name: api, ready: false, image: "", imageID: "", restartCount: 0, state: {waiting: {reason: PodInitializing}}}]`),
			text: `init container "wait" crashed with exit code 1`, crashes: 1},
		{name: "init container that is done", objects: podOfSet("a", "rs2", `phase: Pending, initContainerStatuses: [{name: wait, ready: true, image: "", imageID: "", restartCount: 0, state: {terminated: {exitCode: 0}}}], containerStatuses: [{name: api, ready: false, image: "", imageID: "", restartCount: 0, state: {waiting: {reason: PodInitializing}}}]`)},
		{name: "mount", objects: podOfSet("a", "rs2", container(`restartCount: 0, state: {waiting: {reason: ContainerCreating}}`)) +
			warningAbout("Pod", "a", "FailedMount", `MountVolume.SetUp failed for volume "v" : secret "s" not found`), text: `pod a: MountVolume.SetUp failed for volume "v" : secret "s" not found`},
		{name: "unschedulable", objects: podOfSet("a", "rs2", `phase: Pending, conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."}]`),
			text: "no node takes pod a: 0/1 nodes are available: 1 Insufficient cpu", hint: "lower its requests"},
		{name: "evicted", objects: podOfSet("a", "rs2", `phase: Failed, reason: Evicted, message: "The node was low on resource: ephemeral-storage."`), text: "pod a: Evicted: The node was low on resource: ephemeral-storage."},
		{name: "the worst of several", objects: podOfSet("a", "rs2", container(`restartCount: 0, state: {terminated: {exitCode: 1}}`)) + podOfSet("b", "rs2", container(`restartCount: 0, state: {waiting: {reason: ErrImageNeverPull}}`)),
			text: `image "img" is not on node node, and may not be pulled`, hopeless: true},
	} {
		s := read(t, join(deploymentOf("3", "3", making), tc.objects))
		target := Target{Service: "api", Kind: "Deployment", Namespace: "ns"}
		got := s.Reason(target, s.RolloutOf(target), now)
		switch {
		case got == nil && tc.text == "":
		case got == nil:
			t.Errorf("%s: no reason", tc.name)
		case got.Text != tc.text || !strings.Contains(got.Hint, tc.hint) || got.Hopeless != tc.hopeless || got.Crashes != tc.crashes:
			t.Errorf("%s: got %+v", tc.name, *got)
		}
	}
}

func replicaFailure(message string) object.Condition {
	return object.Condition{Type: "ReplicaFailure", Status: "True", Message: message}
}

func TestDiagnoseRefusal(t *testing.T) {
	for message, want := range map[string]string{
		`pods "api-x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2`:                       "quota: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2",
		`pods "api-x" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container x)`: `Pod Security forbids its pods: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container x)`,
		`pods "api-x" is forbidden: error looking up service account ns/api: serviceaccount "api" not found`:                   `its pods cannot be made: error looking up service account ns/api: serviceaccount "api" not found`,
		`admission webhook "x" denied the request: no`:                                                                         `a rule of the cluster's forbids its pods: admission webhook "x" denied the request: no`,
		`pods "api-x" is forbidden: maximum memory usage per Container is 128Mi, but limit is 1Gi`:                             `a LimitRange forbids its pods: maximum memory usage per Container is 128Mi, but limit is 1Gi`,
		`Internal error occurred: failed calling webhook "x": no endpoints available for service "x"`:                          `its pods cannot be made: Internal error occurred: failed calling webhook "x": no endpoints available for service "x"`,
	} {
		s := read(t, join(deploymentOf("3", "3", "replicas: 0")))
		rs := s.replicaSets["d"][1]
		rs.Status.Conditions = append(rs.Status.Conditions, replicaFailure(message))
		target := Target{Service: "api", Kind: "Deployment", Namespace: "ns"}
		got := s.Reason(target, s.RolloutOf(target), time.Now())
		if got == nil || got.Text != want {
			t.Errorf("got %+v, want %q", got, want)
			continue
		}
		if hopeless := !strings.HasPrefix(want, "its pods cannot be made"); got.Hopeless != hopeless {
			t.Errorf("%s: hopeless is %v", want, got.Hopeless)
		}
	}
	// A StatefulSet tells in an event only.
	s := read(t, join(statefulSetOf("", "replicas: 0, updateRevision: s-new"), warningAbout("StatefulSet", "s", "FailedCreate", `create Pod db-0 in StatefulSet db failed error: pods "db-0" is forbidden: exceeded quota: q`)))
	target := Target{Service: "db", Kind: "StatefulSet", Namespace: "ns"}
	if got := s.Reason(target, s.RolloutOf(target), time.Now()); got == nil || got.Text != "quota: exceeded quota: q" {
		t.Errorf("got %+v", got)
	}
	// One whose earlier pod is broken does not go on by itself.
	s = read(t, join(statefulSetOf("", "replicas: 1, updateRevision: s-new"), podOfSet("db-0", "s", container(`restartCount: 5, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1}}`))))
	if got := s.Reason(target, s.RolloutOf(target), time.Now()); got == nil || !strings.HasPrefix(got.Text, "the version before is stuck: ") || !strings.Contains(got.Hint, "delete pod db-0") {
		t.Errorf("got %+v", got)
	}
}
