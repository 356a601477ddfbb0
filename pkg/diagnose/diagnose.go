// Package diagnose says of a workload whether it is healthy, and if not, exactly
// what is not and why. It is given what the API server holds as plain values and
// asks nobody: the gate, zr status and the api each bring what they have read, and
// get one answer.
//
// A workload is healthy when all of these hold. The rollout of its current template is
// complete (not that of an earlier ReplicaSet), with at least the pods that the
// manifest asks for. None of their containers restarts in a loop. Each of its Services
// leads to them, and one of them answers the probe. A Job is healthy when it has
// completed. One that is not meant to run is stopped, and never called healthy.
package diagnose

import (
	"cmp"
	"fmt"

	"zr/pkg/cmdline"
	"zr/pkg/kube/object"
)

// Target is what a manifest says of a workload that is looked at.
type Target struct {
	Service   string
	Kind      string // "Deployment", "StatefulSet", "DaemonSet" or "Job"
	Namespace string
	// Name is that of the workload, where the service is called otherwise.
	Name string
	// Vanishes says that a Job is deleted some time after it has ended: one
	// that is not there has ended.
	Vanishes bool
	// Replicas is how many pods the manifest asks for at least. Default: 1. It is
	// of no account for a DaemonSet or a Job.
	Replicas int32
	// Idle says why no pods at all are right, where they are: the service is
	// stopped then.
	Idle string
	// Services are those of the manifest that are to lead to its pods.
	Services []string
	// Probe names how the caller itself asks a pod: "http". Empty means that it
	// does not.
	Probe string
	// Container is the one that Probe asks. Default: the first.
	Container string
	// Lines are the command lines that hints tell.
	Lines cmdline.Run
}

func (t Target) name() string { return cmp.Or(t.Name, t.Service) }

func (t Target) key() key { return key{t.Kind, t.Namespace, t.name()} }

// workload names the target as its own manifest does.
func (t Target) workload() string { return fmt.Sprintf("%s %q", t.Kind, t.name()) }

// wanted is how many pods have to run.
func (t Target) wanted() int32 {
	if t.Idle != "" || t.Kind == object.DaemonSet || t.Kind == object.Job {
		return 0
	}
	return max(1, t.Replicas)
}

// kubectl is a line about the target's namespace.
func (t Target) kubectl(args ...string) string {
	return t.Lines.Kubectl(append([]string{"-n", t.Namespace}, args...)...)
}

// logs is the line that shows what the target writes.
func (t Target) logs() string { return t.Lines.Zr("logs", t.name()) }
