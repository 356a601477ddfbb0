package stack

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"

	"zr/pkg/cluster/hostport"
	"zr/pkg/cluster/statedir"
	"zr/pkg/config"
	"zr/pkg/event"
)

// Load reads an environment of the project in root as an instance, "" for the one that
// all checkouts share, in a namespace, "" for that of the overlay, and of all its
// services or only of some.
func Load(root, env, instance, namespace string, only []string) (*config.Config, error) {
	cfg, err := config.Load(root, env)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(cfg.As(instance), cfg.In(namespace), cfg.OnlyOf(only)); err != nil {
		return nil, err
	}
	cfg.Dashboard = cfg.Dashboard || statedir.ReadEnvironment(cfg.Set()).Dashboard
	return cfg, nil
}

// Instance is the instance of an environment that the checkout in root has chosen; ""
// is the one that all checkouts share.
func Instance(root, env string) string { return statedir.Instance(root, env) }

// ownPorts are the ports of this machine that an instance has in place of those
// that the project asks for, which the environment that all share has.
type ownPorts struct {
	mu     sync.Mutex
	known  statedir.Environment
	others map[int32]bool // ports of other instances, whose clusters may stand still
}

// hostPort is the port of this machine for one that the project asks for.
func (s *Stack) hostPort(wanted int32) (int32, error) {
	if s.cfg.Instance == "" {
		return wanted, nil
	}
	s.own.mu.Lock()
	defer s.own.mu.Unlock()
	return s.own.choose(s.set(), wanted)
}

// portStep is how far the ports of instances are apart: 3000 is followed by
// 3100 and 3200, so that one can be told from the other.
const portStep = 100

func (o *ownPorts) choose(set string, wanted int32) (int32, error) {
	if o.others == nil {
		if err := o.look(set); err != nil {
			return 0, err
		}
	}
	if port, ok := o.known.Ports[wanted]; ok {
		return port, nil
	}
	taken := map[int32]bool{}
	for _, port := range o.known.Ports {
		taken[port] = true
	}
	for port := wanted + portStep; port <= 65535; port += portStep {
		if !taken[port] && !o.others[port] && hostport.Check(port) == nil {
			o.known.Ports[wanted] = port
			return port, nil
		}
	}
	return 0, fmt.Errorf("choosing a port of this machine in place of %d: none of those that are %d apart is free", wanted, portStep)
}

func (o *ownPorts) look(set string) error {
	all, err := statedir.Environments()
	if err != nil {
		return err
	}
	o.known = statedir.ReadEnvironment(set)
	if o.known.Ports == nil {
		o.known.Ports = map[int32]int32{}
	}
	o.others = map[int32]bool{}
	for _, e := range all {
		if e.Set == set {
			continue
		}
		for _, port := range e.Ports {
			o.others[port] = true
		}
	}
	return nil
}

// claim notes that this checkout is about to bring the environment up, and says
// whose it was. It returns the project with the ports of an instance chosen for good.
func (p *project) claim() (*project, error) {
	unlock, err := statedir.LockEnvironments()
	if err != nil {
		return nil, err
	}
	defer unlock()
	known := statedir.ReadEnvironment(p.set())
	if other := p.otherCheckout(known); other != "" {
		p.sink.Emit(event.Notice{
			Text: fmt.Sprintf("%s was brought up from %s; from now on it runs what is in %s", p.set(), other, p.cfg.Root), Hint: p.ownHint(),
		})
	} else {
		known.Checkout = p.cfg.Root
	}
	known.Instance, known.Cluster = p.cfg.Instance, p.clusterName()
	if p.cfg.Instance != "" {
		p.own.others = nil // another run may have chosen since
		next := *p
		if next.ports, err = p.publishPorts(); err != nil {
			return nil, err
		}
		p, known.Ports = &next, p.own.known.Ports
	}
	if err := known.Save(); err != nil {
		return nil, err
	}
	return p, statedir.ChooseInstance(p.cfg.Root, p.cfg.Env, p.cfg.Instance)
}

// keepOwnPorts notes the ports that an instance has chosen since it was claimed, for
// what was published since.
func (s *Stack) keepOwnPorts() error {
	if s.cfg.Instance == "" {
		return nil
	}
	unlock, err := statedir.LockEnvironments()
	if err != nil {
		return err
	}
	defer unlock()
	s.own.mu.Lock()
	defer s.own.mu.Unlock()
	known := statedir.ReadEnvironment(s.set())
	if maps.Equal(known.Ports, s.own.known.Ports) {
		return nil
	}
	known.Ports = maps.Clone(s.own.known.Ports)
	return known.Save()
}

// claimed notes that the environment now runs what is in this checkout.
func (s *Stack) claimed() error {
	known := statedir.ReadEnvironment(s.set())
	known.Checkout = s.cfg.Root
	return known.Save()
}

// otherCheckout returns the folder of the checkout that brought an environment
// up last, if it is another one and still there.
func (s *Stack) otherCheckout(known statedir.Environment) string {
	if known.Checkout == "" || known.Checkout == s.cfg.Root {
		return ""
	}
	if _, err := os.Stat(filepath.Join(known.Checkout, "config", filepath.Base(s.cfg.File))); err != nil {
		return ""
	}
	return known.Checkout
}

func (s *Stack) ownHint() string {
	if !s.can().Own {
		return ""
	}
	return "`" + linesOf(s.cfg).Zr("up", "--as", "NAME") + "` brings one up that is this checkout's own, with its own data and ports"
}
