package node

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"zr/pkg/build"
	"zr/pkg/fault"
)

// checkMain makes sure that the file which is run is there, once everything is
// that makes it: a container that ends at once says so minutes later.
func (j *job) checkMain(source string) error {
	command := j.project.start()
	if j.Mode == build.Dev {
		command, _ = j.project.devCommand(j.Spec.Dev.Command)
	}
	file := script(command)
	if j.OwnCommand || len(j.Spec.Dev.Command) > 0 && j.Mode == build.Dev || file == "" || loads(source, file) {
		return nil
	}
	manifest := path.Join(j.Spec.Node, manifestFile)
	missing, hint := path.Join(j.Spec.Node, file)+" is not there", ""
	switch m := j.project.manifest; {
	case m.Scripts["start"] == "" && m.Main == "":
		missing = fmt.Sprintf("%s has no start script and no main, and there is no %s beside it", manifest, file)
		hint = fmt.Sprintf(`name the file that runs in the scripts of %s, such as "start": "node server.js"`, manifest)
	case j.builds():
		missing += " after npm run build"
		hint = fmt.Sprintf("it is what %s runs: have its build script make it, or name what that makes", manifest)
	default:
		hint = fmt.Sprintf("it is what %s runs; what git ignores is no source, so a script named build is to make it", manifest)
	}
	if j.Mode == build.Dev {
		hint += fmt.Sprintf("; or say in the config what runs in dev: services: {%s: {build: {node: %s, dev: {command: [node, <file>]}}}}", j.Service, j.Spec.Node)
	}
	return fault.Hint(errors.New(missing), hint)
}

// valueFlags are the flags of node whose next argument is a value and not the script.
var valueFlags = []string{
	"-r", "--require", "--import", "--loader", "--experimental-loader", "--env-file", "--env-file-if-exists", "-C", "--conditions",
	"--watch-path", "--inspect-port", "--title", "--input-type", "--icu-data-dir", "--openssl-config", "--disable-warning", "--diagnostic-dir",
	"--redirect-warnings", "--trace-event-categories",
}

// script returns the file that a command line has node run, or nothing where
// it runs none, or no file of the service.
func script(command []string) string {
	if command[0] != "node" {
		return ""
	}
	for i := 1; i < len(command); i++ {
		word := command[i]
		switch {
		case slices.Contains(valueFlags, word):
			i++
		case slices.Contains([]string{"-e", "--eval", "-p", "--print", "--test", "--run", "-"}, word):
			return ""
		case strings.HasPrefix(word, "-"):
		case !filepath.IsLocal(word), strings.HasPrefix(path.Clean(word), "node_modules/"):
			return ""
		default:
			return path.Clean(word)
		}
	}
	return ""
}

// loads reports whether node finds a file by a name that it is given: with an
// ending or without one, or as a folder.
func loads(dir, name string) bool {
	for _, ending := range []string{"", ".js", ".json", ".node"} {
		if isFile(filepath.Join(dir, name+ending)) {
			return true
		}
	}
	return exists(filepath.Join(dir, name, manifestFile)) || exists(filepath.Join(dir, name, "index.js"))
}

// fileName finds what may be the name of a file in a tool's words.
var fileName = regexp.MustCompile(`[\w@.+/~-]*[\w@+-]\.[A-Za-z]\w*`)

// ofProject names the files in a tool's words as the project does, where the
// tool ran in a work copy of a service's folder.
func (j *job) ofProject(words, source string, files map[string]origin) string {
	return strings.TrimSpace(fileName.ReplaceAllStringFunc(words, func(name string) string {
		rel := name
		if filepath.IsAbs(name) {
			var err error
			if rel, err = filepath.Rel(source, name); err != nil {
				return name
			}
		}
		if _, ok := files[filepath.Clean(rel)]; !ok {
			return name
		}
		return path.Join(j.Spec.Node, filepath.ToSlash(rel))
	}))
}
