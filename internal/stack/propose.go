package stack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"zr/pkg/bounded"
	"zr/pkg/config"
	"zr/pkg/devattach"
)

// The most that is read of a folder that a service is proposed for.
const (
	proposeFiles = 200
	proposeBytes = 256 << 10 // of one file
)

// Propose says what makes a service of a folder of the project, by what lies in it. Its
// error is a *devattach.Failure.
func (s *Stack) Propose(folder string) (devattach.Proposal, error) {
	dir, folder, err := s.folderOf(folder)
	if err != nil {
		return devattach.Proposal{}, err
	}
	p := devattach.Proposal{Service: serviceName(filepath.Base(dir))}
	if _, taken := s.cfg.Services[p.Service]; taken || p.Service == "" {
		return p, &devattach.Failure{Code: devattach.Conflict, Text: fmt.Sprintf("%s has a service %q already, or the folder's name cannot be one", s.cfg.Name(), p.Service)}
	}
	sources := readSources(dir)
	var build string
	if p.Kind, build, p.Because = config.ProposeBuild(s.cfg.Root, folder); p.Kind == "" {
		return p, &devattach.Failure{Code: devattach.NotFound, Text: fmt.Sprintf("nothing in %s says how it is built", folder)}
	}
	p.Port = portOf(sources)
	overlay := filepath.ToSlash(relative(s.cfg.Root, s.cfg.OverlayDir()))
	p.Edits = []devattach.Snippet{
		{File: s.cfg.Name(), Under: "services", Text: fmt.Sprintf("  %s:\n    build: %s\n", p.Service, build)},
		{File: overlay + "/" + p.Service + ".yaml", New: true, Text: manifestOf(p, healthOf(sources))},
		{File: overlay + "/kustomization.yaml", Under: "resources", Text: "  - " + p.Service + ".yaml\n"},
	}
	return p, nil
}

// folderOf returns the absolute path of a folder of the project, and its path within it.
func (s *Stack) folderOf(folder string) (dir, within string, err error) {
	clean := filepath.Clean(filepath.FromSlash(folder))
	outside := &devattach.Failure{Code: devattach.NotFound, Text: fmt.Sprintf("%q is no folder of the project", folder)}
	if folder == "" || clean == "." || !filepath.IsLocal(clean) {
		return "", "", outside
	}
	root, err := filepath.EvalSymlinks(s.cfg.Root)
	if err != nil {
		return "", "", outside
	}
	dir, err = filepath.EvalSymlinks(filepath.Join(root, clean))
	if err != nil || dir == root || !filepath.IsLocal(relative(root, dir)) {
		return "", "", outside
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", "", outside
	}
	return dir, filepath.ToSlash(clean), nil
}

// relative is a path as it is called below root.
func relative(root, path string) string {
	below, err := filepath.Rel(root, path)
	if err != nil {
		return path
	}
	return below
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// serviceName makes a name of Kubernetes of that of a folder.
func serviceName(folder string) string {
	name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(folder), "-"), "-")
	return strings.TrimRight(name[:min(len(name), 50)], "-") // pods have more behind it, and 63 letters
}

// readSources returns the texts of a folder that may say how the service is asked.
func readSources(dir string) string {
	var text strings.Builder
	files := 0
	enough := errors.New("enough")
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error { // what cannot be read says nothing
		switch {
		case err != nil:
			return nil
		case d.IsDir() && (d.Name() == "node_modules" || path != dir && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		switch filepath.Ext(path) {
		case ".go", ".js", ".mjs", ".cjs", ".ts", ".tsx", ".json":
		default:
			if d.Name() != "Dockerfile" {
				return nil
			}
		}
		if files++; files > proposeFiles {
			return enough
		}
		if content, err := bounded.ReadFile(path, proposeBytes); err == nil && !strings.HasSuffix(path, "_test.go") && d.Name() != "package-lock.json" {
			text.Write(content)
			text.WriteByte('\n')
		}
		return nil
	})
	return text.String()
}

// listens are the ways in which sources say their port, the surest first; healths those
// of a path that is there to be asked.
var (
	listens = []*regexp.Regexp{
		regexp.MustCompile(`(?im)^\s*EXPOSE\s+(\d{2,5})`),
		regexp.MustCompile(`"[\w.]*:(\d{2,5})"`),
		regexp.MustCompile(`\blisten\(\s*(?:[\w.]+\s*(?:\?\?|\|\|)\s*)?(\d{2,5})`),
		regexp.MustCompile(`PORT\b[^\n]{0,20}?(?:\?\?|\|\||,)\s*"?(\d{2,5})`),
	}
	nextJS  = regexp.MustCompile(`"next"\s*:`)
	healths = regexp.MustCompile(`["'\x60](?:GET )?(/(?:healthz?|readyz?|api/health|-/ready|livez))["'\x60]`)
)

// portOf is where a service listens, as far as its sources say.
func portOf(sources string) int {
	for _, form := range listens {
		if m := form.FindStringSubmatch(sources); m != nil {
			if port, err := strconv.Atoi(m[1]); err == nil && port > 0 && port < 1<<16 {
				return port
			}
		}
	}
	if nextJS.MatchString(sources) {
		return 3000
	}
	return 8080
}

// healthOf is the path at which it says whether it is ready; "" where none is known.
func healthOf(sources string) string {
	if m := healths.FindStringSubmatch(sources); m != nil {
		return m[1]
	}
	return ""
}

// manifestOf is the Deployment and the Service of a proposal: a pod that Pod Security calls
// restricted.
func manifestOf(p devattach.Proposal, health string) string {
	probe := "tcpSocket: {port: http}"
	if health != "" {
		probe = "httpGet: {path: " + health + ", port: http}"
	}
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata:
  name: %[1]s
spec:
  selector:
    matchLabels: {app.kubernetes.io/name: %[1]s}
  template:
    metadata:
      labels: {app.kubernetes.io/name: %[1]s}
    spec:
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        seccompProfile: {type: RuntimeDefault}
      containers:
        - name: %[1]s
          image: %[1]s
          env:
            - {name: PORT, value: "%[2]d"}
          ports:
            - {name: http, containerPort: %[2]d}
          readinessProbe:
            %[3]s
            periodSeconds: 2
          resources:
            requests: {cpu: 20m, memory: 64Mi}
            limits: {memory: 256Mi}
          securityContext:
            allowPrivilegeEscalation: false
            capabilities: {drop: [ALL]}
---
apiVersion: v1
kind: Service
metadata:
  name: %[1]s
spec:
  selector: {app.kubernetes.io/name: %[1]s}
  ports:
    - {name: http, port: %[2]d, targetPort: http}
`, p.Service, p.Port, probe)
}
