package health

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// kube speaks to the API groups that a gate needs. The typed clientset would do
// the same with every group of Kubernetes linked in.
type kube struct {
	cfg    *rest.Config
	core   rest.Interface
	groups map[string]rest.Interface // by name
	params runtime.ParameterCodec
}

// resource is one kind of object that a gate looks at.
type resource struct {
	name  string
	group schema.GroupVersion
	list  func() runtime.Object
	// fields narrows the list on the server.
	fields string
	// optional ones may be forbidden by the user's role.
	optional bool
}

var (
	deployments  = resource{name: "deployments", group: appsv1.SchemeGroupVersion, list: func() runtime.Object { return &appsv1.DeploymentList{} }}
	statefulSets = resource{name: "statefulsets", group: appsv1.SchemeGroupVersion, list: func() runtime.Object { return &appsv1.StatefulSetList{} }}
	daemonSets   = resource{name: "daemonsets", group: appsv1.SchemeGroupVersion, list: func() runtime.Object { return &appsv1.DaemonSetList{} }}
	jobs         = resource{name: "jobs", group: batchv1.SchemeGroupVersion, list: func() runtime.Object { return &batchv1.JobList{} }}
	replicaSets  = resource{name: "replicasets", group: appsv1.SchemeGroupVersion, list: func() runtime.Object { return &appsv1.ReplicaSetList{} }}
	pods         = resource{name: "pods", group: corev1.SchemeGroupVersion, list: func() runtime.Object { return &corev1.PodList{} }}
	services     = resource{name: "services", group: corev1.SchemeGroupVersion, list: func() runtime.Object { return &corev1.ServiceList{} }, optional: true}
	endpoints    = resource{name: "endpointslices", group: discoveryv1.SchemeGroupVersion, list: func() runtime.Object { return &discoveryv1.EndpointSliceList{} }, optional: true}
	warnings     = resource{name: "events", group: corev1.SchemeGroupVersion, list: func() runtime.Object { return &corev1.EventList{} },
		fields: "type!=Normal", optional: true}
)

func newKube(cfg *rest.Config) (*kube, error) {
	cfg = rest.CopyConfig(cfg)
	cfg.QPS = -1                           // a handful of requests at once is what a gate is; the server has its own limits
	cfg.WarningHandler = rest.NoWarnings{} // would be printed to stderr
	cfg.Timeout = 0                        // watches are long; each call has its context
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme, discoveryv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	codecs := serializer.NewCodecFactory(scheme).WithoutConversion()
	httpClient, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return nil, err
	}
	client := func(path string, gv schema.GroupVersion) (rest.Interface, error) {
		c := rest.CopyConfig(cfg)
		c.APIPath, c.GroupVersion, c.NegotiatedSerializer = path, &gv, codecs
		return rest.RESTClientForConfigAndClient(c, httpClient)
	}
	k := &kube{cfg: cfg, groups: map[string]rest.Interface{}, params: runtime.NewParameterCodec(scheme)}
	if k.core, err = client("/api", corev1.SchemeGroupVersion); err != nil {
		return nil, err
	}
	k.groups[corev1.GroupName] = k.core
	for _, gv := range []schema.GroupVersion{appsv1.SchemeGroupVersion, batchv1.SchemeGroupVersion, discoveryv1.SchemeGroupVersion} {
		if k.groups[gv.Group], err = client("/apis", gv); err != nil {
			return nil, err
		}
	}
	return k, nil
}

func (k *kube) client(r resource) rest.Interface { return k.groups[r.group.Group] }

// list reads all objects of a kind. The read is consistent: it is at least as
// new as what was applied before it, which the gate relies on.
func (k *kube) list(ctx context.Context, r resource, ns string) (runtime.Object, error) {
	into := r.list()
	err := k.client(r).Get().Namespace(ns).Resource(r.name).
		VersionedParams(&metav1.ListOptions{FieldSelector: r.fields}, k.params).
		Do(ctx).Into(into)
	if err != nil {
		return nil, fmt.Errorf("listing %s in namespace %q: %w", r.name, ns, err)
	}
	return into, nil
}

// watch follows a kind from a resource version on.
func (k *kube) watch(ctx context.Context, r resource, ns, version string) (watch.Interface, error) {
	// The server ends a watch after 30 to 60 minutes by itself; asking for a
	// time makes a connection that died without a word end too.
	seconds := int64(5 * 60)
	return k.client(r).Get().Namespace(ns).Resource(r.name).
		VersionedParams(&metav1.ListOptions{
			Watch: true, FieldSelector: r.fields, ResourceVersion: version,
			AllowWatchBookmarks: true, TimeoutSeconds: &seconds,
		}, k.params).Watch(ctx)
}

// logLine is a line that a container wrote, without what a terminal would obey.
type logLine struct {
	at   time.Time // by the clock of the node
	text string
}

// tail returns the last lines that a container wrote; with previous, the instance
// before the running one. There are none where the log is gone.
func (k *kube) tail(ctx context.Context, ns, pod, container string, previous bool, n int64) ([]logLine, error) {
	// A limit of the server's would count from the first of the lines, so that a
	// long one would push out those that say why.
	log, err := k.core.Get().Namespace(ns).Resource("pods").Name(pod).SubResource("log").
		VersionedParams(&corev1.PodLogOptions{Container: container, Previous: previous, TailLines: &n, Timestamps: true}, k.params).
		Stream(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the log of container %q in pod %q: %w", container, pod, err)
	}
	defer log.Close()
	var lines []logLine
	in := bufio.NewReaderSize(io.LimitReader(log, logLimit), 64<<10)
	for {
		line, err := readLine(in)
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the log of container %q in pod %q: %w", container, pod, err)
		}
		// What has no time is not from the container: the kubelet says in a
		// line of its own, with status 200, that the file is gone.
		stamp, text, _ := strings.Cut(line, " ")
		if at, err := time.Parse(time.RFC3339Nano, stamp); err == nil {
			lines = append(lines, logLine{at, printable(text)})
		}
	}
}

const (
	// logLimit is how much of a log is read for the sake of its last lines.
	logLimit = 16 << 20
	// lineLimit is how much of a line is kept: a reason is to be read by eye.
	lineLimit = 4 << 10
)

// readLine returns the next line, cut, or io.EOF after the last one.
func readLine(in *bufio.Reader) (string, error) {
	var line []byte
	long := false
	for {
		part, more, err := in.ReadLine()
		if err != nil && (len(line) == 0 || !errors.Is(err, io.EOF)) {
			return "", err
		}
		kept := part[:min(len(part), lineLimit-len(line))]
		line, long = append(line, kept...), long || len(kept) < len(part)
		switch {
		case more:
		case long:
			return strings.ToValidUTF8(string(line), "") + "…", nil
		default:
			return string(line), nil
		}
	}
}

// colour is a terminal's control sequence.
var colour = regexp.MustCompile("\x1b\\[[0-9;?]*[ -/]*[@-~]")

func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' {
			return -1
		}
		return r
	}, colour.ReplaceAllString(line, ""))
}

// dialer opens port-forward connections to a pod: SPDY inside a WebSocket,
// which passes proxies, and bare SPDY for servers older than that.
func (k *kube) dialer(ns, pod string) func() (httpstream.Connection, error) {
	u := k.core.Post().Namespace(ns).Resource("pods").Name(pod).SubResource("portforward").URL()
	return func() (httpstream.Connection, error) {
		ws, err := portforward.NewSPDYOverWebsocketDialerForStreaming(u, k.cfg)
		if err != nil {
			return nil, err
		}
		transport, upgrader, err := spdy.RoundTripperFor(k.cfg)
		if err != nil {
			return nil, err
		}
		bare := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, u)
		conn, _, err := portforward.NewFallbackDialerForStreaming(ws, bare, func(err error) bool {
			return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
		}).Dial(portforward.PortForwardProtocolV1Name)
		return conn, err
	}
}
