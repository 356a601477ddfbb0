package diagnose

import (
	"reflect"
	"strings"
	"testing"
)

// TestWhereAServiceHasToLead is about what nodes are asked for, and what they are
// not held to.
func TestWhereAServiceHasToLead(t *testing.T) {
	service := strings.Replace(webService, "spec: {", "spec: {clusterIP: 10.96.0.7, ", 1)
	const http = "{name: http, port: 8080}"
	pods := labelled("a") + labelled("b") + podOfSet("earlier", "rs1", readyStatus)
	led := []Route{{"web", "10.96.0.7:80/tcp", []string{"10.0.0.1:8080"}, false}}
	for _, tc := range []struct {
		name, objects string
		routes        []Route
		stale         string
	}{
		{"a pod", service + sliceOf(http, "a", "true"), led, ""},
		{"a pod that is not ready", service + sliceOf(http, "a", "false"), nil, ""},
		{"two pods", service + sliceOf(http, "a", "true") + strings.Replace(sliceOf(http, "b", "true"), "10.0.0.1", "10.0.0.2", 1),
			[]Route{{"web", "10.96.0.7:80/tcp", []string{"10.0.0.1:8080", "10.0.0.2:8080"}, false}}, ""},
		{"a pod that is gone", service + sliceOf(http, "c", "true"), led, "web"},
		{"a pod of the template before", service + sliceOf(http, "earlier", "true"), led, "web"},
		{"a headless Service", strings.Replace(service, "10.96.0.7", "None", 1) + sliceOf(http, "a", "true"), nil, ""},
		{"another port", service + sliceOf("{name: admin, port: 8081}", "a", "true"), nil, ""},
		{"an endpoint for the neighbours", service + strings.Replace(sliceOf(http, "a", "true"), "targetRef", "hints: {forZones: [{name: west}]}, targetRef", 1), nil, ""},
		{"a proxy of another make", strings.Replace(service, "namespace: ns", "namespace: ns, labels: {service.kubernetes.io/service-proxy-name: other}", 1) + sliceOf(http, "a", "true"), nil, ""},
		{"each pod counts as ready", strings.Replace(service, "spec: {", "spec: {publishNotReadyAddresses: true, ", 1) + sliceOf(http, "c", "true"), led, ""},
	} {
		s := read(t, join(pods, tc.objects))
		target := Target{Service: "api", Kind: "Deployment", Namespace: "ns", Services: []string{"web"}}
		routes, stale := s.RoutesOf(target, Rollout{Earlier: s.podsOf("rs1")})
		if !reflect.DeepEqual(routes, tc.routes) || stale != tc.stale {
			t.Errorf("%s: %v, stale is %q", tc.name, routes, stale)
		}
	}
}

// TestWhoIsVouchedFor is about the ports to which the kubelet connects.
func TestWhoIsVouchedFor(t *testing.T) {
	service := strings.Replace(webService, "spec: {", "spec: {clusterIP: 10.96.0.7, ", 1)
	pod := func(probe string) string {
		return strings.Replace(labelled("a"), "{name: api,", "{name: api, ports: [{name: http, containerPort: 8080}], readinessProbe: {"+probe+"},", 1)
	}
	for _, tc := range []struct {
		name, pod string
		want      bool
	}{
		{"by its name", pod("httpGet: {port: http}"), true},
		{"by its number", pod("tcpSocket: {port: 8080}"), true},
		{"by gRPC", pod("grpc: {port: 8080}"), true},
		{"at another port", pod("httpGet: {port: 8081}"), false},
		{"at another host", pod("httpGet: {port: http, host: 127.0.0.1}"), false},
		{"by a program", pod("exec: {command: [\"true\"]}"), false},
		{"by nothing", labelled("a"), false},
		{"of a pod that is not ready", strings.Replace(pod("httpGet: {port: http}"), readyStatus, unreadyStatus, 1), false},
	} {
		s := read(t, join(tc.pod, service+sliceOf("{name: http, port: 8080}", "a", "true")))
		routes, _ := s.RoutesOf(Target{Service: "api", Namespace: "ns", Services: []string{"web"}}, Rollout{})
		if len(routes) != 1 || routes[0].Vouched != tc.want || (len(Unvouched(routes)) == 0) != tc.want {
			t.Errorf("%s: %v", tc.name, routes)
		}
	}
}

// TestNodesThatLeadElsewhere has kube-proxy behind the API, and pods that do not
// listen where their Service leads.
func TestNodesThatLeadElsewhere(t *testing.T) {
	web := Route{"web", "10.96.0.7:80/tcp", []string{"10.0.0.1:8080"}, false}
	admin := Route{"web", "10.96.0.7:81/tcp", []string{"10.0.0.1:8081"}, false}
	dns := Route{"dns", "10.96.0.8:53/udp", []string{"10.0.0.1:53"}, false}
	two := Route{"web", "10.96.0.7:80/tcp", []string{"10.0.0.1:8080", "10.0.0.2:8080"}, false}
	table := func(pods ...string) Table {
		return Table{"10.96.0.7:80/tcp": pods, "10.96.0.7:81/tcp": {"10.0.0.1:8081"}, "10.96.0.8:53/udp": {"10.0.0.1:53"}}
	}
	asked := web
	asked.Vouched = true
	right := table("10.0.0.1:8080")
	accepts := func(pods ...string) View {
		v := View{Table: right, Accepts: map[string]bool{}}
		for _, p := range pods {
			v.Accepts[p] = true
		}
		return v
	}
	const blamed = `kube-proxy of node "n2" does not lead Service "web" to its pods yet`
	const silent = `nothing accepts connections at 10.0.0.1:8080, where Service "web" leads`
	for _, tc := range []struct {
		name   string
		routes []Route
		n1, n2 View
		want   string
	}{
		{"all lead there", []Route{web}, accepts("10.0.0.1:8080"), View{Table: right}, ""},
		{"one leads to a pod that is gone", []Route{web}, accepts("10.0.0.1:8080"), View{Table: table("10.0.0.2:8080")}, blamed},
		{"one leads to one more", []Route{web}, accepts("10.0.0.1:8080"), View{Table: table("10.0.0.1:8080", "10.0.0.2:8080")}, blamed},
		{"one has not heard of it", []Route{web}, accepts("10.0.0.1:8080"), View{Table: Table{"10.96.0.1:443/tcp": {"10.0.0.9:6443"}}}, blamed},
		{"the rules of one are not known", []Route{web}, accepts("10.0.0.1:8080"), View{}, ""},
		{"nobody listens", []Route{web}, accepts(), accepts(), silent},
		{"the other node reaches it", []Route{web}, accepts(), accepts("10.0.0.1:8080"), ""},
		{"one port of two is served", []Route{web, admin}, accepts("10.0.0.1:8081"), accepts(), ""},
		{"the kubelet asks there", []Route{asked, admin}, accepts(), accepts(), ""},
		{"UDP tells nothing", []Route{dns}, accepts(), accepts(), ""},
		{"one pod of two listens", []Route{two}, View{Accepts: map[string]bool{"10.0.0.1:8080": true}}, View{},
			`nothing accepts connections at 10.0.0.2:8080, where Service "web" leads`},
	} {
		if got := Misled(tc.routes, map[string]View{"n1": tc.n1, "n2": tc.n2}); got != tc.want {
			t.Errorf("%s: %q", tc.name, got)
		}
	}
}
