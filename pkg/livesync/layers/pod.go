package layers

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"time"

	"zr/pkg/agentspec"
	"zr/pkg/kube"
	"zr/pkg/kube/lean"
	"zr/pkg/kube/object"
)

// Pod is where layers are made.
type Pod struct {
	Token string
	// Dial connects to the agent.
	Dial func(ctx context.Context) (io.ReadWriteCloser, error)
	// Close removes the pod.
	Close func()
}

// Options say what pod is made, and where.
type Options struct {
	Client    *kube.Client
	Namespace string
	// Image is that of the agent, as the nodes pull it.
	Image string
	// Architecture is that of the image.
	Architecture string
	// PullSecrets are the names of Secrets of the namespace that the nodes pull with.
	PullSecrets []string
}

const (
	// Label is that of the pods, for network policies that let them reach a registry.
	Label = "zr.dev/pushes"
	// starts is how long a pod may take to start, its image of 3 MB included.
	starts = 30 * time.Second
	// lives is how long the cluster lets a pod run, in seconds, which a run that was
	// killed leaves behind.
	lives = 600
	// looks is how often a pod that starts is looked at.
	looks = 200 * time.Millisecond
	// leaves is how long its removal may take.
	leaves = 5 * time.Second
)

// Requests and Limits are those of a pod, which a quota of the namespace has to hold.
var (
	Requests = map[string]string{"cpu": "10m", "memory": "64Mi"}
	Limits   = map[string]string{"cpu": "1", "memory": "384Mi"}
)

// Start makes a pod and waits until it runs. What runs that were killed have left in the
// namespace, and has ended since, goes.
func Start(ctx context.Context, o Options) (*Pod, error) {
	name, token := "zr-push-"+strings.ToLower(rand.Text()[:8]), rand.Text()
	if err := o.sweep(ctx); err != nil {
		return nil, err
	}
	if err := o.Client.Create(ctx, lean.PathOf(object.Pods, o.Namespace), nil, o.manifest(name, token)); err != nil {
		return nil, fmt.Errorf("making the pod that pushes it: %w", err)
	}
	pod := &Pod{
		Token: token,
		Dial: func(ctx context.Context) (io.ReadWriteCloser, error) {
			s, err := o.Client.Open(ctx, o.Namespace, name, agentspec.DefaultPort)
			if err != nil {
				return nil, err
			}
			return s, nil
		},
		Close: func() { o.remove(ctx, name) },
	}
	if err := o.running(ctx, name); err != nil {
		pod.Close()
		return nil, fmt.Errorf("starting the pod that pushes it: %w", err)
	}
	return pod, nil
}

// sweep removes pods that have ended.
func (o Options) sweep(ctx context.Context) error {
	pods, _, err := o.Client.List(ctx, object.Pods, lean.ListOptions{Namespace: o.Namespace, Labels: Label, Fields: "status.phase=" + object.PodFailed})
	for _, p := range pods {
		o.remove(ctx, p.Metadata().Name)
	}
	return err
}

// remove removes a pod, also at the end of a run that was interrupted. One that is left
// ends by itself.
func (o Options) remove(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaves)
	defer cancel()
	_ = o.Client.Delete(ctx, lean.PathOf(object.Pods, o.Namespace)+"/"+name, map[string]any{"gracePeriodSeconds": 0})
}

func (o Options) running(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, starts)
	defer cancel()
	for {
		_, err := o.Client.RunningPod(ctx, o.Namespace, Label+"="+name, "")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(looks):
		}
	}
}

// manifest is a pod that Pod Security takes by its strictest rules, and that no Service
// selects.
func (o Options) manifest(name, token string) map[string]any {
	type object = map[string]any
	secrets := []object{}
	for _, s := range o.PullSecrets {
		secrets = append(secrets, object{"name": s})
	}
	return object{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": object{"name": name, "labels": object{Label: name}},
		"spec": object{
			"restartPolicy": "Never", "activeDeadlineSeconds": lives, "terminationGracePeriodSeconds": 1,
			"automountServiceAccountToken": false, "enableServiceLinks": false, "imagePullSecrets": secrets,
			"nodeSelector":    object{"kubernetes.io/os": "linux", "kubernetes.io/arch": o.Architecture},
			"securityContext": object{"runAsNonRoot": true, "seccompProfile": object{"type": "RuntimeDefault"}},
			"containers": []object{{
				"name": "push", "image": o.Image, "args": []string{agentspec.LayersArgument},
				"env":       []object{{"name": agentspec.EnvToken, "value": token}},
				"resources": object{"requests": Requests, "limits": Limits},
				"securityContext": object{
					"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
					"capabilities": object{"drop": []string{"ALL"}},
				},
			}},
		},
	}
}
