package diagnose

import (
	"strings"
	"testing"
	"time"
)

func jobOf(spec, status string) string {
	return `kind: Job
metadata: {name: migrate, namespace: ns, uid: j}
spec: {` + spec + `template: {spec: {containers: [{name: migrate, image: m}]}}}
status: {` + status + `}
---
`
}

func podOfJob(name, phase, state string) string {
	return podOfSet(name, "j", `phase: `+phase+`, containerStatuses: [{name: migrate, ready: false, restartCount: 0, image: "", imageID: "", state: {`+state+`}}]`)
}

func TestJobRollout(t *testing.T) {
	const failedStatus = `failed: 1, conditions: [{type: Failed, status: "True", reason: BackoffLimitExceeded, message: Job has reached the specified backoff limit}]`
	for _, tc := range []struct {
		name, objects   string
		vanishes        bool
		healthy         bool
		reason, hint    string
		hopeless        bool
		ready, desired  int32
		pod, containers string
	}{
		{name: "completed", objects: join(jobOf("", `succeeded: 1, conditions: [{type: Complete, status: "True"}]`), podOfJob("m-1", "Succeeded", "terminated: {exitCode: 0}")),
			healthy: true, ready: 1, desired: 1},
		{name: "completed at the second try", objects: join(jobOf("", `succeeded: 1, failed: 1, conditions: [{type: Complete, status: "True"}]`), podOfJob("m-1", "Failed", "terminated: {exitCode: 1}")),
			healthy: true, ready: 1, desired: 1},
		{name: "runs", objects: join(jobOf("", "active: 1"), podOfJob("m-1", "Running", "running: {}")), reason: "it has not completed", desired: 1},
		{name: "its first container has ended", objects: join(jobOf("completions: 3, ", "active: 1, succeeded: 1"), podOfJob("m-1", "Running", "terminated: {exitCode: 0}")),
			reason: "it has not completed", ready: 1, desired: 3},
		{name: "is tried again", objects: join(jobOf("", "active: 1, failed: 1"), podOfJob("m-1", "Failed", "terminated: {exitCode: 3}")),
			reason: `container "migrate" crashed with exit code 3`, desired: 1},
		{name: "was given up", objects: join(jobOf("", failedStatus), podOfJob("m-1", "Failed", "terminated: {exitCode: 3}")),
			reason: `it was given up: BackoffLimitExceeded: Job has reached the specified backoff limit; container "migrate" ended with exit code 3`,
			hint:   "kubectl -n ns delete job migrate", hopeless: true, pod: "m-1", desired: 1},
		{name: "was given up, its pods with it", objects: join(jobOf("", failedStatus)),
			reason: "it was given up: BackoffLimitExceeded: Job has reached the specified backoff limit", hint: "restartPolicy: Never", hopeless: true, desired: 1},
		{name: "is not there", objects: join(podOfSet("other", "x", readyStatus)), reason: `Job "migrate" is not in namespace "ns"`, hopeless: true},
		{name: "is not there any more", objects: join(podOfSet("other", "x", readyStatus)), vanishes: true, healthy: true},
		{name: "may not make pods", objects: join(jobOf("", ""), warningAbout("Job", "j", "FailedCreate", `Error creating: pods "migrate-x" is forbidden: exceeded quota: q`)),
			reason: "quota: exceeded quota: q", hopeless: true, desired: 1},
	} {
		s := read(t, tc.objects)
		target := Target{Service: "job/migrate", Name: "migrate", Kind: "Job", Namespace: "ns", Vanishes: tc.vanishes}
		f := Finding{Rollout: s.RolloutOf(target)}
		f.Why = s.Reason(target, f.Rollout, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
		if _, asked := f.Rollout.Probed(); asked {
			t.Errorf("%s: its pod is asked", tc.name)
		}
		if f.Healthy() != tc.healthy || f.Rollout.Ready != tc.ready || f.Rollout.Desired != tc.desired {
			t.Errorf("%s: healthy is %v, %d of %d", tc.name, f.Healthy(), f.Rollout.Ready, f.Rollout.Desired)
		}
		if tc.healthy {
			continue
		}
		why := f.Wrong(target)
		if why.Text != tc.reason || !strings.Contains(why.Hint, tc.hint) || why.Hopeless != tc.hopeless || tc.pod != "" && (why.Pod != tc.pod || !why.Logged) {
			t.Errorf("%s: got %+v", tc.name, why)
		}
	}
}
