package proposal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"zr/pkg/config"
	"zr/pkg/devattach"
)

// Plan is what makes services of several folders of a project.
type Plan struct {
	Project  string               `json:"project,omitempty"` // the name of one that is made, too
	Services []devattach.Proposal `json:"services"`
	Edits    []devattach.Snippet  `json:"edits"` // all of them, with those of the project itself
	// PassedOver are folders with a program that nothing shows to listen, where none was named.
	PassedOver []string `json:"passedOver,omitempty"`
}

// NotServices says that no folder of a project looks like a service that it has not.
type NotServices struct {
	Has      int      // services that it has
	Programs []string // folders with a program that nothing shows to listen
}

func (n *NotServices) Error() string {
	if n.Has > 0 {
		return "no other folder here looks like a service"
	}
	return "no folder here looks like a service"
}

// Services is the plan of these folders, or of all that look like a service where none is
// named. Beside a *devattach.Failure its error can be a *NotServices.
func (p *Project) Services(folders []string) (Plan, error) {
	plan := Plan{Services: []devattach.Proposal{}}
	if len(folders) == 0 {
		found, programs := p.discover()
		if len(found) == 0 {
			return plan, &NotServices{Has: len(p.Sources), Programs: programs}
		}
		folders, plan.PassedOver = found, programs
	}
	has := p.Has
	p.Has = func(name string) bool {
		return has(name) || slices.ContainsFunc(plan.Services, func(s devattach.Proposal) bool { return s.Service == name })
	}
	defer func() { p.Has = has }()
	for _, folder := range folders {
		one, err := p.ofFolder(folder)
		if err != nil {
			return plan, err
		}
		plan.Services = append(plan.Services, one)
		plan.Edits = append(plan.Edits, one.Edits...)
	}
	return plan, nil
}

func (p *Project) ofFolder(folder string) (devattach.Proposal, error) {
	if filepath.Clean(folder) == "." {
		return p.service(p.Root, ".")
	}
	return p.Service(folder)
}

// Start is the plan of a project that has no config of this environment yet: what Services
// says, and the files that it is added to.
func (p *Project) Start(name string, folders []string) (Plan, error) {
	plan, err := p.Services(folders)
	if err != nil {
		return plan, err
	}
	plan.Project = name
	var entries, resources strings.Builder
	var manifests []devattach.Snippet
	for _, e := range plan.Edits {
		switch {
		case e.Under == "services":
			entries.WriteString(e.Text)
		case e.Under == "resources":
			resources.WriteString(e.Text)
		default:
			manifests = append(manifests, e)
		}
	}
	kustomization := path.Join(p.Overlay, p.kustomization())
	plan.Edits = []devattach.Snippet{{File: p.Config, New: true, Text: fmt.Sprintf(
		"project: %s\nservices: # named like their Deployments in %s\n%s", name, p.Overlay, entries.String())}}
	if _, err := os.Stat(filepath.Join(p.Root, filepath.FromSlash(kustomization))); errors.Is(err, fs.ErrNotExist) {
		namespace := path.Join(p.Overlay, "namespace.yaml")
		plan.Edits = append(plan.Edits,
			devattach.Snippet{File: kustomization, New: true, Text: fmt.Sprintf(
				"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: %s\nresources:\n  - namespace.yaml\n%s", name, resources.String())},
			devattach.Snippet{File: namespace, New: true, Text: fmt.Sprintf(
				"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: %s\n", name)})
	} else if resources.Len() > 0 {
		plan.Edits = append(plan.Edits, devattach.Snippet{File: kustomization, Under: "resources", Text: resources.String()})
	}
	plan.Edits = append(plan.Edits, manifests...)
	return plan, nil
}

// Name is what a project in a folder is called, which is the name of its namespace, too.
func Name(root string) string {
	name := serviceName(filepath.Base(root))
	return strings.TrimRight(name[:min(len(name), 32)], "-")
}

// deepest is how many folders below the project's a service is looked for.
const deepest = 3

// notLookedIn are folders of what others made, or what is made of the sources.
var notLookedIn = []string{"node_modules", "vendor", "testdata", "dist", "build", "target", "examples"}

// discover returns the folders that look like a service, sorted, and those that hold a
// program and do not.
func (p *Project) discover() (services, programs []string) {
	_ = filepath.WalkDir(p.Root, func(at string, d fs.DirEntry, err error) error { // what cannot be read holds nothing
		if err != nil || !d.IsDir() {
			return nil
		}
		folder := relative(p.Root, at)
		if folder != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains(notLookedIn, d.Name()) || strings.Count(folder, "/") >= deepest) {
			return fs.SkipDir
		}
		kind, _, _ := config.ProposeBuild(p.Root, folder)
		switch {
		case kind == "" || slices.Contains(p.Sources, folder):
		case !listening(kind, at):
			programs = append(programs, folder)
		default:
			services = append(services, folder)
			if folder != "." {
				return fs.SkipDir
			}
		}
		return nil
	})
	return services, programs
}
