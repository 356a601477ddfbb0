package node

import (
	"encoding/json"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// installScripts are the scripts of a package.json that npm runs when it
// installs, in its order.
var installScripts = []string{"preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"}

// everything is the folder of all files of a service.
const everything = "."

// scripts are what npm runs of the project's own when it installs: of its
// package.json and of those of the folders that are installed from it.
func (p *project) scripts() (scripts []string) {
	all := []map[string]string{p.manifest.Scripts}
	for _, folder := range p.folders() {
		var m manifest
		if json.Unmarshal(p.local[path.Join(folder, manifestFile)], &m) == nil {
			all = append(all, m.Scripts)
		}
	}
	for _, of := range all {
		for _, name := range installScripts {
			if of[name] != "" {
				scripts = append(scripts, of[name])
			}
		}
	}
	if exists(filepath.Join(p.dir, "binding.gyp")) {
		scripts = append(scripts, "node-gyp rebuild")
	}
	return scripts
}

// reads returns the folders of the service that the scripts of an install are
// given, since they may read them. Of a command that is not known it is
// everything.
func (p *project) reads() (folders []string) {
	for _, script := range p.scripts() {
		folders = append(folders, scriptReads(script)...)
	}
	slices.Sort(folders)
	return slices.Compact(folders)
}

// isRead reports whether the scripts of an install are given a file, by its
// path below the service's folder.
func isRead(folders []string, rel string) bool {
	return slices.ContainsFunc(folders, func(dir string) bool { return dir == everything || within(rel, filepath.FromSlash(dir)) })
}

var commandEnd = regexp.MustCompile(`&&|\|\||;`)

// scriptReads returns the folders that a script reads. That of patch-package is
// known; husky wants a work tree of git, which a work copy never is.
func scriptReads(script string) (folders []string) {
	for _, command := range commandEnd.Split(script, -1) {
		words := strings.Fields(command)
		if len(words) > 0 && words[0] == "npx" {
			words = words[1:]
		}
		switch {
		case len(words) == 0:
		case strings.ContainsAny(command, "\"'`$&|<>(){}*?[]~\\\n"):
			return []string{everything}
		case words[0] == "patch-package":
			folders = append(folders, patchFolder(words))
		case !slices.Contains([]string{"husky", "is-ci", "true", "echo", "exit"}, words[0]):
			return []string{everything}
		}
	}
	return folders
}

// patchFolder is where a call of patch-package takes its patches from.
func patchFolder(words []string) string {
	for i, word := range words {
		if dir, ok := strings.CutPrefix(word, "--patch-dir="); ok {
			return path.Clean(dir)
		}
		if word == "--patch-dir" && i+1 < len(words) {
			return path.Clean(words[i+1])
		}
	}
	return "patches"
}
