package follow

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kube makes the three requests that reading logs takes. It decodes into the
// few fields that matter, and links no library of Kubernetes: this package is
// part of programs whose rebuild somebody waits for.
type kube struct {
	client *http.Client
	base   *url.URL
}

// streamBuffer is how much of one log may wait here to be read, in bytes. All
// containers are read at once: with the 4 MiB that HTTP/2 clients usually take,
// the logs of 40 of them would wait in 160 MiB.
const streamBuffer = 256 << 10

// NewTransport returns a transport with that bound. There is none on the time
// until an answer begins, since a log without lines has none; pings, as
// client-go sends them, end a connection that died without a word.
func NewTransport(config *tls.Config) *http.Transport {
	return &http.Transport{
		TLSClientConfig: config, TLSHandshakeTimeout: 10 * time.Second, ForceAttemptHTTP2: true,
		HTTP2: &http.HTTP2Config{MaxReceiveBufferPerStream: streamBuffer, SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
	}
}

// pod is what there is to know of a pod to read its logs.
type pod struct {
	Metadata struct {
		Name            string            `json:"name"`
		UID             string            `json:"uid"`
		ResourceVersion string            `json:"resourceVersion"`
		Labels          map[string]string `json:"labels"`
		OwnerReferences []struct {
			Kind       string `json:"kind"`
			Name       string `json:"name"`
			Controller bool   `json:"controller"`
		} `json:"ownerReferences"`
	} `json:"metadata"`
	Status struct {
		InitContainerStatuses      []containerStatus `json:"initContainerStatuses"`
		ContainerStatuses          []containerStatus `json:"containerStatuses"`
		EphemeralContainerStatuses []containerStatus `json:"ephemeralContainerStatuses"`
	} `json:"status"`
}

type containerStatus struct {
	Name         string         `json:"name"`
	RestartCount int            `json:"restartCount"`
	State        containerState `json:"state"`
	LastState    containerState `json:"lastState"`
}

type containerState struct {
	Running    *struct{} `json:"running"`
	Terminated *struct{} `json:"terminated"`
}

type podList struct {
	Metadata struct {
		ResourceVersion string `json:"resourceVersion"`
	} `json:"metadata"`
	Items []pod `json:"items"`
}

func (p pod) containers() []containerStatus {
	return slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses, p.Status.EphemeralContainerStatuses)
}

// service is the name of the workload that a pod belongs to.
func (p pod) service() string {
	for _, o := range p.Metadata.OwnerReferences {
		if !o.Controller {
			continue
		}
		if hash := p.Metadata.Labels["pod-template-hash"]; o.Kind == "ReplicaSet" && hash != "" {
			return strings.TrimSuffix(o.Name, "-"+hash)
		}
		return o.Name
	}
	if name := p.Metadata.Labels["app.kubernetes.io/name"]; name != "" {
		return name
	}
	return p.Metadata.Name
}

// instance numbers the runs of a container that have a log, from 0 on: that
// of the newest one, or -1 where there was none yet.
func (c containerStatus) instance() int {
	if c.State.Running == nil && c.State.Terminated == nil && c.LastState.Terminated == nil {
		return -1
	}
	return c.RestartCount
}

// over tells that the newest run has ended.
func (c containerStatus) over() bool { return c.State.Running == nil }

// statusError is a refusal of the API server.
type statusError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *statusError) Error() string {
	if e.Message == "" {
		return http.StatusText(e.Code)
	}
	return e.Message
}

// refused tells an answer that will be the same the next time.
func refused(err error) bool {
	var e *statusError
	return errors.As(err, &e) && (e.Code == http.StatusForbidden || e.Code == http.StatusUnauthorized)
}

// hasCode tells that the server answered with an HTTP status.
func hasCode(err error, code int) bool {
	var e *statusError
	return errors.As(err, &e) && e.Code == code
}

// get opens an answer. The caller closes it.
func (k *kube) get(ctx context.Context, query url.Values, path ...string) (io.ReadCloser, error) {
	u := k.base.JoinPath(path...)
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := k.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	said := &statusError{Code: resp.StatusCode}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // the code alone says enough
	if json.Unmarshal(body, said) != nil {
		said.Message = strings.TrimSpace(string(body))
	}
	said.Code = resp.StatusCode
	return nil, said
}

func (k *kube) decode(ctx context.Context, into any, query url.Values, path ...string) error {
	body, err := k.get(ctx, query, path...)
	if err != nil {
		return err
	}
	defer body.Close()
	return json.NewDecoder(body).Decode(into)
}

// pods lists the pods of a namespace.
func (k *kube) pods(ctx context.Context, ns, selector string) (podList, error) {
	var list podList
	query := url.Values{}
	if selector != "" {
		query.Set("labelSelector", selector)
	}
	if err := k.decode(ctx, &list, query, "api/v1/namespaces", ns, "pods"); err != nil {
		return list, fmt.Errorf("listing pods: %w", err)
	}
	return list, nil
}

// watchPods passes each change after a resource version on, until the server
// ends the watch or something fails. It returns the version to go on from.
func (k *kube) watchPods(ctx context.Context, ns, selector, version string, change func(pod, bool)) (string, error) {
	query := url.Values{"watch": {"true"}, "allowWatchBookmarks": {"true"}, "resourceVersion": {version},
		// So that a connection that died without a word ends too.
		"timeoutSeconds": {"300"}}
	if selector != "" {
		query.Set("labelSelector", selector)
	}
	body, err := k.get(ctx, query, "api/v1/namespaces", ns, "pods")
	if err != nil {
		return version, fmt.Errorf("watching pods: %w", err)
	}
	defer body.Close()
	for decoder := json.NewDecoder(body); ; {
		var e struct {
			Type   string          `json:"type"`
			Object json.RawMessage `json:"object"`
		}
		if err := decoder.Decode(&e); err != nil {
			if err == io.EOF {
				return version, nil
			}
			return version, fmt.Errorf("watching pods: %w", err)
		}
		if e.Type == "ERROR" {
			said := &statusError{}
			if err := json.Unmarshal(e.Object, said); err != nil {
				return version, fmt.Errorf("watching pods: %w", err)
			}
			return version, fmt.Errorf("watching pods: %w", said)
		}
		var p pod
		if err := json.Unmarshal(e.Object, &p); err != nil {
			return version, fmt.Errorf("watching pods: %w", err)
		}
		version = p.Metadata.ResourceVersion
		if e.Type != "BOOKMARK" {
			change(p, e.Type == "DELETED")
		}
	}
}

// logQuery says which part of a container's log to open.
type logQuery struct {
	previous, follow bool
	since            time.Time
	tail             int // 0 means all
}

// log opens a container's log, each line with its time in front.
func (k *kube) log(ctx context.Context, ns, pod, container string, q logQuery) (io.ReadCloser, error) {
	query := url.Values{"container": {container}, "timestamps": {"true"}}
	if q.previous {
		query.Set("previous", "true")
	}
	if q.follow {
		query.Set("follow", "true")
	}
	if !q.since.IsZero() {
		query.Set("sinceTime", q.since.UTC().Format(time.RFC3339)) // the API knows whole seconds only
	}
	if q.tail > 0 {
		query.Set("tailLines", strconv.Itoa(q.tail))
	}
	body, err := k.get(ctx, query, "api/v1/namespaces", ns, "pods", pod, "log")
	if err != nil {
		return nil, fmt.Errorf("reading the log of container %q in pod %q: %w", container, pod, err)
	}
	return body, nil
}
