package usage

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"zr/internal/api/reason"
	"zr/pkg/kube/lean"
)

// summaryLimit is how much of an answer is read, in bytes: 110 pods of a node, the most
// that a kubelet takes by default, are some 100 KiB.
const summaryLimit = 16 << 20

// Kubelets asks kubelets with the account of the pod, which needs the right to get
// nodes/stats. The certificate of a kubelet is signed by itself, so that nothing proves who
// answers: they are asked only where the settings say so. It is safe for concurrent use.
type Kubelets struct {
	mount  string
	client *http.Client
}

// NewKubelets returns Kubelets that are asked with the account that is mounted in a folder.
func NewKubelets(mount string) *Kubelets {
	return &Kubelets{mount, &http.Client{
		Transport: &http.Transport{
			DialContext:     (&net.Dialer{Timeout: time.Second}).DialContext,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12},
			IdleConnTimeout: time.Minute,
		},
		// One would carry the account elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// summary is what a kubelet answers, as far as it is read.
type summary struct {
	Pods []struct {
		Ref struct {
			Name      string `json:"name"`
			Namespace string `json:"namespace"`
		} `json:"podRef"`
		Containers []struct {
			Name string `json:"name"`
			CPU  struct {
				NanoCores *float64 `json:"usageNanoCores"`
			} `json:"cpu"`
			Memory struct {
				WorkingSet int64 `json:"workingSetBytes"`
			} `json:"memory"`
		} `json:"containers"`
	} `json:"pods"`
}

// ask asks those of nodes with these addresses (host:port), and keeps what is of a namespace.
func (k *Kubelets) ask(ctx context.Context, namespace string, nodes []string) (map[Container]Use, error) {
	of := map[Container]Use{}
	for _, node := range nodes {
		s, err := k.summary(ctx, node)
		if err != nil {
			return nil, err
		}
		for _, pod := range s.Pods {
			if pod.Ref.Namespace != namespace {
				continue
			}
			for _, c := range pod.Containers {
				if c.CPU.NanoCores != nil { // nil until it was measured twice
					of[Container{pod.Ref.Name, c.Name}] = Use{*c.CPU.NanoCores / 1e9, c.Memory.WorkingSet}
				}
			}
		}
	}
	return of, nil
}

func (k *Kubelets) summary(ctx context.Context, node string) (s summary, err error) {
	token, err := lean.Token(k.mount)
	if err != nil {
		return s, err
	}
	where := &url.URL{Scheme: "https", Host: node, Path: "/stats/summary", RawQuery: "only_cpu_and_memory=true"}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where.String(), nil)
	if err != nil {
		return s, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := k.client.Do(req)
	if err != nil {
		return s, err
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return s, reason.With(reason.Forbidden, fmt.Errorf("the kubelet answered %s", res.Status))
	default:
		return s, fmt.Errorf("the kubelet answered %s", res.Status)
	}
	err = json.NewDecoder(io.LimitReader(res.Body, summaryLimit)).Decode(&s)
	return s, err
}
