package fleet

import (
	"zr/internal/api/usage"
	"zr/pkg/kube/object"
)

// Use is what the containers of a service use now, of all of its pods.
type Use struct {
	Running  int     `json:"running" doc:"Containers that run."`
	Measured int     `json:"measured" doc:"Those of them whose use is known, and which the figures are of: one that has just begun is not measured yet."`
	Cores    float64 `json:"cpuCores" doc:"CPU over the last seconds: 0.25 is a quarter of a core."`
	Memory   int64   `json:"memoryBytes" doc:"Memory that counts against the limit."`
	// The limits are nil where a container that runs has none.
	CoresLimit  *float64 `json:"cpuCoresLimit,omitempty" doc:"What those that run may use; left out where one of them has no limit."`
	MemoryLimit *int64   `json:"memoryBytesLimit,omitempty" doc:"What those that run may use; left out where one of them has no limit."`
}

// Use sums up what the containers of a service use, by a report.
func (s Service) Use(report usage.Report) Use {
	var use Use
	var cores, memory limit
	for _, t := range s.asked {
		for _, c := range t.Pod.Statuses() {
			if c.State.Running == nil {
				continue
			}
			use.Running++
			if u, known := report.Of[usage.Container{Pod: t.Pod.Name, Name: c.Name}]; known {
				use.Measured++
				use.Cores += u.Cores
				use.Memory += u.Memory
			}
			limits := limitsOf(t.Pod, c.Name)
			cores.add(limits["cpu"])
			memory.add(limits["memory"])
		}
	}
	if cores.holds() {
		use.CoresLimit = &cores.sum
	}
	if memory.holds() {
		bytes := int64(memory.sum)
		use.MemoryLimit = &bytes
	}
	return use
}

// limit is the sum of those of containers.
type limit struct {
	sum     float64
	of      int
	without bool // a container has none
}

func (l *limit) add(text string) {
	n, err := usage.Quantity(text)
	l.sum, l.of, l.without = l.sum+n, l.of+1, l.without || err != nil
}

func (l *limit) holds() bool { return l.of > 0 && !l.without }

// limitsOf are those of a container of a pod, by resource.
func limitsOf(p *object.Pod, name string) map[string]string {
	for _, all := range [][]object.Container{p.Spec.Containers, p.Spec.InitContainers} {
		for i := range all {
			if all[i].Name == name {
				return all[i].Resources.Limits
			}
		}
	}
	return nil
}
