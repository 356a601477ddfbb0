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

	"zr/pkg/cmdline"
	"zr/pkg/devattach"
)

// Plan is what makes services of several folders of a project.
type Plan struct {
	Project  string              `json:"project,omitempty"` // the name of one that is made, too
	Services []Proposed          `json:"services"`
	Edits    []devattach.Snippet `json:"edits"` // all of them, with those of the project itself
	// PassedOver are folders with a program, where none was named.
	PassedOver []PassedOver `json:"passedOver,omitempty"`
}

// PassedOver is a folder with a program that is no service by itself.
type PassedOver struct {
	Folder string `json:"folder"`
	// Because is why; empty where it can be built, and nothing shows that it listens.
	Because string `json:"because,omitempty"`
}

// String says why it was passed over.
func (p PassedOver) String() string { return called(p.Folder) + " " + p.Because }

// NotServices says that no folder of a project looks like a service that it has not.
type NotServices struct {
	Has        int // services that it has
	PassedOver []PassedOver
}

func (n *NotServices) Error() string {
	if n.Has > 0 {
		return "no other folder here looks like a service"
	}
	return "no folder here looks like a service"
}

// Hint is what can be done about it, by lines of the environment.
func (n *NotServices) Hint(lines cmdline.Run) string {
	if may := Unproven(n.PassedOver); len(may) > 0 {
		return "nothing shows that these listen on a port; name those that do: " + lines.Zr("init", may[:min(len(may), 5)]...)
	}
	for _, p := range n.PassedOver { // the first is the nearest to the top
		return p.String()
	}
	return "name the folder of one: " + lines.Zr("init") + " FOLDER. It has a Go program, a package.json or a Dockerfile; what else builds a service is `build: {command: …}`: docs/configuration.md"
}

// Unproven are the folders of those that could be built, which nothing shows to listen.
func Unproven(passed []PassedOver) (folders []string) {
	for _, p := range passed {
		if p.Because == "" {
			folders = append(folders, p.Folder)
		}
	}
	return folders
}

// Services is the plan of these folders, or of all that look like a service where none is
// named. Beside a *devattach.Failure its error can be a *NotServices.
func (p *Project) Services(folders []string) (Plan, error) {
	plan := Plan{Services: []Proposed{}}
	all := len(folders) == 0
	if all {
		folders, plan.PassedOver = p.discover()
	}
	p.planned = map[string]bool{}
	defer func() { p.planned = nil }()
	seen := map[string]bool{}
	for _, folder := range folders {
		dir, within, err := p.meant(folder)
		var one Proposed
		if err == nil {
			if seen[within] { // by another name: links lead to folders, too
				continue
			}
			seen[within] = true
			one, err = p.service(dir, within)
		}
		if failed, is := errors.AsType[*devattach.Failure](err); is && all {
			plan.PassedOver = append(plan.PassedOver, PassedOver{folder, "cannot be one by its name: " + failed.Text})
			continue
		}
		if err != nil {
			return plan, err
		}
		p.planned[one.Service] = true
		plan.Services = append(plan.Services, one)
		plan.Edits = append(plan.Edits, one.Edits...)
	}
	if len(plan.Services) == 0 {
		return plan, &NotServices{Has: len(p.Sources), PassedOver: plan.PassedOver}
	}
	return plan, nil
}

// meant is the folder that is called so: the project's own may be, too.
func (p *Project) meant(folder string) (dir, within string, err error) {
	if filepath.Clean(folder) == "." {
		return p.Root, ".", nil
	}
	return p.folder(folder)
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
		"project: %s\nservices: # named like their Deployments in %s\n%s", text(name), p.Overlay, entries.String())}}
	if _, err := os.Stat(filepath.Join(p.Root, filepath.FromSlash(kustomization))); errors.Is(err, fs.ErrNotExist) {
		namespace := path.Join(p.Overlay, "namespace.yaml")
		plan.Edits = append(plan.Edits,
			devattach.Snippet{File: kustomization, New: true, Text: fmt.Sprintf(
				"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: %s\nresources:\n  - namespace.yaml\n%s", text(name), resources.String())},
			devattach.Snippet{File: namespace, New: true, Text: fmt.Sprintf(
				"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: %s\n", text(name))})
	} else if resources.Len() > 0 {
		plan.Edits = append(plan.Edits, devattach.Snippet{File: kustomization, Under: "resources", Text: resources.String()})
	}
	plan.Edits = append(plan.Edits, manifests...)
	return plan, nil
}

// deepest is how many folders below the project's a service is looked for.
const deepest = 3

// discover returns the folders that look like a service, sorted, and those that hold a
// program and do not. What is a service already is not looked into.
func (p *Project) discover() (services []string, passed []PassedOver) {
	var programs, likely []string                                                  // in Go, and those of them where only what is imported listens
	root := ""                                                                     // the kind of the project's own folder
	_ = filepath.WalkDir(p.Root, func(at string, d fs.DirEntry, err error) error { // what cannot be read holds nothing
		if err != nil || !d.IsDir() {
			return nil
		}
		folder := relative(p.Root, at)
		if folder != "." && (notLookedIn(d.Name()) || strings.Count(folder, "/") >= deepest) {
			return fs.SkipDir
		}
		way, against := p.wayOf(folder)
		is := p.Sources[folder] != ""
		if is && way.Kind == "go" {
			programs = append(programs, folder)
		}
		if !is && way.Kind != "" && against == nil {
			itself, imported := p.shows(way.Kind, folder)
			switch {
			case itself:
				services, is = append(services, folder), true
			case imported:
				likely = append(likely, folder)
			default:
				passed = append(passed, PassedOver{Folder: folder})
			}
			if way.Kind == "go" && (itself || imported) {
				programs = append(programs, folder)
			}
		} else if !is && way.Kind != "" {
			passed = append(passed, PassedOver{folder, "cannot be built as it is: " + oneLine(against)})
		}
		if folder == "." {
			root = way.Kind
		} else if is {
			return fs.SkipDir
		}
		return nil
	})
	if built := p.builds(programs); root == "dockerfile" && built != "" && slices.Contains(services, ".") {
		passed = append(passed, PassedOver{".", "has a Dockerfile that builds " + built + ", which can be a service by itself"})
		services = slices.DeleteFunc(services, func(folder string) bool { return folder == "." })
		if at := slices.Index(likely, built); at >= 0 {
			likely, services = slices.Delete(likely, at, at+1), append(services, built)
		}
	}
	if len(services)+len(p.Sources) == 0 {
		return likely, passed
	}
	for _, folder := range likely {
		passed = append(passed, PassedOver{Folder: folder})
	}
	return services, passed
}

// builds is the first of some programs that the project's own Dockerfile names.
func (p *Project) builds(programs []string) string {
	text := p.dockerfile(".")
	for _, program := range programs {
		if program != "." && strings.Contains(text, program) {
			return program
		}
	}
	return ""
}

// notLookedIn says that a folder is of what others made, or made of the sources.
func notLookedIn(name string) bool {
	return strings.HasPrefix(name, ".") || slices.Contains([]string{"node_modules", "vendor", "testdata", "dist", "build", "target", "examples"}, name)
}
