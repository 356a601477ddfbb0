package render

import (
	"slices"
	"strings"

	"zr/pkg/deploy/manifest"
)

// move changes what a container says of paths of the release image to where a
// dev image has the same files.
func (d DevService) move(container map[string]any) {
	if d.ReleaseDir == "" || d.ReleaseDir == d.WritableDir {
		return
	}
	d.moveAll(container, "command")
	d.moveAll(container, "args")
	d.moveText(container, "workingDir")
	for _, path := range [][]string{{"readinessProbe", "exec"}, {"lifecycle", "postStart", "exec"}, {"lifecycle", "preStop", "exec"}} {
		d.moveAll(manifest.At(container, path...), "command")
	}
	for _, variable := range manifest.Items(container, "env") {
		d.moveText(variable, "value")
	}
}

// moveMounts has a container find in a dev image what its volumes hold. Scratch
// space stays where it was: the folder of a dev image is written to anyway, and
// what is missing on the way to a mount is made for root alone.
func (d DevService) moveMounts(container map[string]any, volumes []map[string]any) {
	if d.ReleaseDir == "" || d.ReleaseDir == d.WritableDir {
		return
	}
	for _, mount := range manifest.Items(container, "volumeMounts") {
		scratch := slices.ContainsFunc(volumes, func(v map[string]any) bool {
			return manifest.Text(v, "name") == manifest.Text(mount, "name") && v["emptyDir"] != nil
		})
		if !scratch {
			d.moveText(mount, "mountPath")
		}
	}
}

func (d DevService) moveText(m map[string]any, key string) {
	if value, ok := m[key].(string); ok {
		m[key] = d.moved(value)
	}
}

func (d DevService) moveAll(m map[string]any, key string) {
	values, _ := m[key].([]any)
	for i, value := range values {
		if value, ok := value.(string); ok {
			values[i] = d.moved(value)
		}
	}
}

// moved returns where a path is in the dev image. The path may be the value of
// a flag.
func (d DevService) moved(value string) string {
	flag, path := "", value
	if i := strings.IndexByte(value, '='); i >= 0 && strings.HasPrefix(value, "-") {
		flag, path = value[:i+1], value[i+1:]
	}
	if !isBelow(path, d.ReleaseDir) || slices.ContainsFunc(d.Stays, func(dir string) bool { return isBelow(path, dir) }) {
		return value
	}
	return flag + d.WritableDir + strings.TrimPrefix(path, d.ReleaseDir)
}

// isBelow says whether a path is a folder or below it.
func isBelow(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }
