// Command runc-wrapper stands in front of runc on machines whose processes lack a
// capability, such as those that are containers themselves. runc then refuses every
// privileged container, since an engine asks for all capabilities for it. It takes out
// of what is asked for what this process cannot give, and becomes runc.
// hack/with-docker gives it to its engine as the runtime.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "runc-wrapper:", err)
		os.Exit(1)
	}
}

// run does not return where all goes well.
func run(args []string) error {
	if path, whole := specification(args); path != "" {
		lacking, err := lacking()
		if err != nil {
			return err
		}
		if err := edit(path, whole, lacking); err != nil {
			return fmt.Errorf("reading what is asked for: %w", err)
		}
	}
	runc, err := exec.LookPath("runc")
	if err != nil {
		return err
	}
	return unix.Exec(runc, append([]string{"runc"}, args...), os.Environ())
}

// specification returns the file in which a runc command finds the process to
// start, and whether it is that of a whole container; or "" for a command that
// starts none.
func specification(args []string) (path string, whole bool) {
	verb := slices.IndexFunc(args, func(a string) bool { return a == "create" || a == "run" || a == "exec" })
	if verb < 0 {
		return "", false
	}
	if args[verb] == "exec" {
		return option(args[verb+1:], "process", "p"), false
	}
	return filepath.Join(option(args[verb+1:], "bundle", "b"), "config.json"), true
}

// option returns the value of an option in any of its four spellings, or "".
func option(args []string, long, short string) string {
	for i, a := range args {
		name, value, joined := strings.Cut(a, "=")
		if name != "--"+long && name != "-"+short {
			continue
		}
		if joined {
			return value
		}
		if i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}

// edit takes capabilities out of a specification of the OCI runtime.
func edit(path string, whole bool, lacking []string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var all map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // sizes are larger than a float is exact
	if err := decoder.Decode(&all); err != nil {
		return err
	}
	process := all
	if whole {
		process, _ = all["process"].(map[string]any)
	}
	sets, _ := process["capabilities"].(map[string]any)
	for name, set := range sets {
		list, _ := set.([]any)
		sets[name] = slices.DeleteFunc(list, func(c any) bool {
			text, _ := c.(string)
			return slices.Contains(lacking, text)
		})
	}
	if text, err = json.Marshal(all); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

// names are those capabilities that machines are known to lack.
var names = map[uintptr]string{
	unix.CAP_SYS_ADMIN:    "CAP_SYS_ADMIN",
	unix.CAP_SYS_MODULE:   "CAP_SYS_MODULE",
	unix.CAP_SYS_RAWIO:    "CAP_SYS_RAWIO",
	unix.CAP_SYS_RESOURCE: "CAP_SYS_RESOURCE",
	unix.CAP_SYS_TIME:     "CAP_SYS_TIME",
}

// lacking returns the capabilities that neither this process nor its children
// can ever have.
func lacking() (list []string, err error) {
	for number, name := range names {
		has, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, number, 0, 0, 0)
		if err != nil {
			return nil, fmt.Errorf("asking for %s: %w", name, err)
		}
		if has == 0 {
			list = append(list, name)
		}
	}
	return list, nil
}
