package fleet

import (
	"strconv"

	"zr/internal/api/probe"
	"zr/pkg/diagnose"
)

// flaps remember when each service lost its health.
type flaps map[string]*diagnose.Flaps

// judge calls a service unhealthy that flaps. One under zr dev is left out: its
// process is replaced at every save.
func (f flaps) judge(s *Snapshot) {
	for i := range s.Services {
		svc := &s.Services[i]
		if svc.Dev {
			delete(f, svc.Name)
			continue
		}
		if f[svc.Name] == nil {
			f[svc.Name] = &diagnose.Flaps{}
		}
		version := svc.Kind + strconv.FormatInt(svc.Generation, 10)
		if !f[svc.Name].See(version, svc.State == Healthy, s.At) {
			continue
		}
		message := "it was healthy and not, time after time, in the last five minutes"
		if svc.Reason != nil {
			message += "; now: " + svc.Reason.Message
		}
		svc.State, svc.Reason = Unhealthy, &Reason{Flapping, message}
	}
	for name := range f {
		if s.Kubernetes.Status == probe.OK && !s.has(name) {
			delete(f, name)
		}
	}
}
