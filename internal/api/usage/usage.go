// Package usage asks what the containers of a namespace use now. The metrics API of the
// cluster is asked where it is there, and otherwise the kubelets, where the settings let
// the api do that.
package usage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"zr/internal/api/kube"
	"zr/internal/api/latest"
	"zr/internal/api/reason"
	"zr/pkg/kube/lean"
	"zr/pkg/kube/object"
)

// Who tells it.
const (
	ByMetricsAPI = "metrics.k8s.io"
	ByKubelet    = "kubelet"
)

// How long an answer is handed out. Both sources measure anew every 10 to 15 seconds. A
// refusal ends when somebody installs something.
const (
	keepGood = 5 * time.Second
	keepBad  = 30 * time.Second
	deadline = 3 * time.Second
	// keepNone is how long a cluster that has no metrics API is not asked for it again.
	keepNone = 5 * time.Minute
	// glance is how much older what Latest returns may be.
	glance = 10 * time.Second
)

// Container names a container of the namespace.
type Container struct{ Pod, Name string }

// Use is what a container uses.
type Use struct {
	Cores  float64 // CPU, over the last seconds
	Memory int64   // working set, in bytes: what counts against the limit
}

// Report is what one question came to.
type Report struct {
	By  string // ByMetricsAPI or ByKubelet; empty where nothing is had
	Why string // nothing is had
	Of  map[Container]Use
}

// Source asks for one namespace. It is safe for concurrent use.
type Source struct {
	client   *kube.Client
	kubelets *Kubelets // nil where they may not be asked
	nodes    func() []string
	reports  *latest.Value[Report]

	none time.Time // until when the cluster is taken to have no metrics API; of ask, which runs once at a time
}

// New returns a Source for the namespace of a client, whose pods are those of the kubelets
// at the addresses that nodes returns (host:port).
func New(client *kube.Client, kubelets *Kubelets, nodes func() []string) *Source {
	s := &Source{client: client, kubelets: kubelets, nodes: nodes}
	s.reports = latest.New(deadline, s.ask, func(r Report) time.Duration {
		if r.By == "" {
			return keepBad
		}
		return keepGood
	})
	return s
}

// Report returns what the containers use, at most a few seconds old.
func (s *Source) Report(ctx context.Context) (Report, error) { return s.reports.Get(ctx) }

// Latest returns what the containers used lately, without waiting. Where that is not
// known, or some seconds old, it is asked for meanwhile.
func (s *Source) Latest() (r Report, known bool) { return s.reports.Peek(glance) }

func (s *Source) ask(ctx context.Context) Report {
	of, err := s.metrics(ctx)
	if err == nil {
		return Report{By: ByMetricsAPI, Of: of}
	}
	why := "the metrics API of the cluster: " + explain(err)
	if s.kubelets == nil {
		return Report{Why: why + "; the api of this environment does not ask kubelets"}
	}
	if of, err = s.kubelets.ask(ctx, s.client.Namespace(), s.nodes()); err == nil {
		return Report{By: ByKubelet, Of: of}
	}
	return Report{Why: why + "; the kubelet: " + explain(err)}
}

// explain says why there was no answer, without addresses.
func explain(err error) string {
	if errors.Is(err, errNone) {
		return err.Error()
	}
	return reason.Of(err)
}

var (
	errNone    = errors.New("there is none")
	podMetrics = object.Resource{Path: "apis/metrics.k8s.io/v1beta1", Name: "pods"}
)

// metrics asks the metrics API, which metrics-server has on most clusters.
func (s *Source) metrics(ctx context.Context) (map[Container]Use, error) {
	if time.Now().Before(s.none) {
		return nil, errNone
	}
	var list struct {
		Items []struct {
			Metadata   object.Meta `json:"metadata"`
			Containers []struct {
				Name  string `json:"name"`
				Usage struct {
					CPU    string `json:"cpu"`
					Memory string `json:"memory"`
				} `json:"usage"`
			} `json:"containers"`
		} `json:"items"`
	}
	if err := s.client.Read(ctx, podMetrics, "", &list); lean.HasCode(err, http.StatusNotFound) {
		s.none = time.Now().Add(keepNone)
		return nil, errNone
	} else if err != nil {
		return nil, err
	}
	of := map[Container]Use{}
	for _, pod := range list.Items {
		for _, c := range pod.Containers {
			cores, err := Quantity(c.Usage.CPU)
			if err != nil {
				return nil, fmt.Errorf("reading the CPU of pod %q: %w", pod.Metadata.Name, err)
			}
			memory, err := Quantity(c.Usage.Memory)
			if err != nil {
				return nil, fmt.Errorf("reading the memory of pod %q: %w", pod.Metadata.Name, err)
			}
			of[Container{pod.Metadata.Name, c.Name}] = Use{cores, int64(memory)}
		}
	}
	return of, nil
}
