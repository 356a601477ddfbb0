package stack

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"zr/pkg/cluster/kind"
	"zr/pkg/deploy"
	"zr/pkg/deploy/render"
)

// services are of all types: see publishable.
func services() []render.Service {
	port := func(name string, port, node int32) render.ServicePort {
		return render.ServicePort{Name: name, Port: port, NodePort: node}
	}
	return []render.Service{
		{Namespace: "x", Name: "db", Type: "ClusterIP", Ports: []render.ServicePort{port("", 5432, 0)}},
		{Namespace: "x", Name: "elsewhere", Type: "ExternalName", Ports: []render.ServicePort{port("", 80, 0)}},
		{Namespace: "x", Name: "lb", Type: "LoadBalancer", Ports: []render.ServicePort{port("http", 8000, 0), port("metrics", 9000, 0)}},
		{Namespace: "x", Name: "web", Type: "NodePort", Ports: []render.ServicePort{port("", 3000, 30000)}},
	}
}

func TestWhichPortsArePublished(t *testing.T) {
	for name, tt := range map[string]struct {
		configured map[string]int
		want       string
	}{
		"by themselves":       {nil, "[lb:8000 lb/metrics:9000 web:3000]"},
		"at another":          {map[string]int{"web": 1, "lb": 2}, "[lb:2 lb/metrics:9000 web:1]"},
		"a further one":       {map[string]int{"lb/metrics": 3}, "[lb:8000 lb/metrics:3 web:3000]"},
		"the first by name":   {map[string]int{"lb/http": 4}, "[lb:4 lb/metrics:9000 web:3000]"},
		"one inside":          {map[string]int{"db": 5432}, "[db:5432 lb:8000 lb/metrics:9000 web:3000]"},
		"a name of elsewhere": {map[string]int{"elsewhere": 80}, "[lb:8000 lb/metrics:9000 web:3000]"},
	} {
		var got []string
		for _, p := range publish(services(), tt.configured) {
			got = append(got, fmt.Sprintf("%s:%d", p.name, p.host))
		}
		if fmt.Sprint(got) != tt.want {
			t.Errorf("%s: %v, want %s", name, got, tt.want)
		}
	}
	if got := publishable(services()); !slices.Equal(got, []string{"db", "lb", "lb/http", "lb/metrics", "web"}) {
		t.Errorf("publishable: %v", got)
	}
}

func TestAMappingIsMadeForEveryTypeOfService(t *testing.T) {
	all := services()
	all[3].Ports[0].NodePort = reservedFrom // which a manifest may have too
	want := []kind.Port{
		{Service: "db", Host: 5432, Node: reservedFrom - 1}, {Service: "lb", Host: 8000, Node: reservedFrom - 2},
		{Service: "lb/metrics", Host: 9000, Node: reservedFrom - 3}, {Service: "web", Host: 3000, Node: reservedFrom},
	}
	if got := mapping(publish(all, map[string]int{"db": 5432})); !slices.Equal(got, want) {
		t.Errorf("kind maps %v, want %v", got, want)
	}
}

func TestEveryPortHasAWayOnTheClusterThatIsThere(t *testing.T) {
	theirs := func(node int32) deploy.HeldPort {
		return deploy.HeldPort{Namespace: "y", Service: "theirs", Port: 1, NodePort: node}
	}
	ours := func(node int32) deploy.HeldPort { h := theirs(node); h.Own = true; return h }
	for name, tt := range map[string]struct {
		configured map[string]int
		mapped     map[int32]int32
		held       []deploy.HeldPort
		extra      []render.ExtraPort
		relayed    []string
		clashes    []string
	}{
		"as it was made": {
			mapped: map[int32]int32{3000: 30000, 8000: 30011, 9000: 30012},
			extra:  []render.ExtraPort{{Service: "lb", Port: 8000, NodePort: 30011}, {Service: "lb", Port: 9000, NodePort: 30012}},
		},
		"other ports of this machine": {
			configured: map[string]int{"web": 3001},
			mapped:     map[int32]int32{3000: 30000},
			relayed:    []string{"lb", "lb/metrics", "web"},
		},
		"another nodePort": { // mapped to the one before, which nobody has any more
			mapped:  map[int32]int32{3000: 30007},
			held:    []deploy.HeldPort{ours(30007)},
			extra:   []render.ExtraPort{{Service: "web", Port: 3000, NodePort: 30007}},
			relayed: []string{"lb", "lb/metrics"},
		},
		"one inside": {
			configured: map[string]int{"db": 5432},
			mapped:     map[int32]int32{3000: 30000},
			extra:      []render.ExtraPort{{Service: "db", Port: 5432}},
			relayed:    []string{"db", "lb", "lb/metrics"},
		},
		"nodePort of another environment": {
			mapped:  map[int32]int32{3000: 30000},
			held:    []deploy.HeldPort{theirs(30000)},
			relayed: []string{"lb", "lb/metrics"},
			clashes: []string{"web 30000 theirs"},
		},
		"port of this machine of another environment": {
			mapped:  map[int32]int32{3000: 30007},
			held:    []deploy.HeldPort{theirs(30007)},
			relayed: []string{"lb", "lb/metrics"},
			clashes: []string{"web 30007 theirs at 3000"},
		},
		"exchanged with another service of this one": {
			mapped:  map[int32]int32{3000: 30001, 8000: 30000},
			extra:   []render.ExtraPort{{Service: "web", Port: 3000, NodePort: 30001}},
			relayed: []string{"lb/metrics"},
			clashes: []string{"lb 30000 web at 8000"},
		},
	} {
		plan, clashes := newPortPlan(publish(services(), tt.configured), tt.mapped, tt.held)
		var relayed, clashing []string
		for _, p := range plan.relayed {
			relayed = append(relayed, p.name)
		}
		for _, c := range clashes {
			text := fmt.Sprint(c.port.name, " ", c.node, " ")
			if c.by != nil {
				text += c.by.name
			} else {
				text += c.held.Service
			}
			if c.host {
				text += fmt.Sprint(" at ", c.port.host)
			}
			clashing = append(clashing, text)
		}
		if !reflect.DeepEqual(plan.extra, tt.extra) || !slices.Equal(relayed, tt.relayed) || !slices.Equal(clashing, tt.clashes) {
			t.Errorf("%s: adds %v, relays %v, refuses %v", name, plan.extra, relayed, clashing)
		}
	}
}

func TestTheNodePortOfARelayedPort(t *testing.T) {
	all := publish(services(), map[string]int{"db": 5432})
	held := []deploy.HeldPort{
		{Namespace: "y", Service: "db", Added: true, Port: 5432, NodePort: 1},
		{Namespace: "x", Service: "db", Added: true, Port: 5432, NodePort: 2, Own: true},
		{Namespace: "x", Service: "lb", Added: true, Port: 8000, NodePort: 3, Own: true},
		{Namespace: "x", Service: "lb", Port: 8000, NodePort: 4, Own: true},
		{Namespace: "x", Service: "web", Port: 3000, NodePort: 5, Own: true}, // about to become what the manifest says
	}
	var got []int32
	for _, p := range all {
		got = append(got, nodePortOf(p, held))
	}
	if want := []int32{2, 4, 0, 30000}; !slices.Equal(got, want) {
		t.Errorf("relayed to %v, want %v", got, want)
	}
}

// Nobody has to answer at a port whose workloads are all stopped.
func TestAPortOfWhatWasStoppedNeedNotAnswer(t *testing.T) {
	p := &project{ports: []published{{name: "web", workloads: []string{"web"}}, {name: "both", workloads: []string{"web", "canary"}}, {name: "none"}}}
	p.excuse([]string{"web"})
	if got := p.ports; !got[0].idle || got[1].idle || got[2].idle {
		t.Errorf("got %+v", got)
	}
}
