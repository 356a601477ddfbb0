// Package cmdline writes the command lines that hints tell the user to type. Each
// says which environment or which cluster it is about, so that it does there, and
// nowhere else, what the hint promises, in whatever terminal it is pasted.
package cmdline

import "strings"

// Run is what the command lines of a run are about. The zero value is the
// environment and the cluster that zr and kubectl take where nothing is said.
type Run struct {
	// Flags are those of zr that name the project and the environment.
	Flags []string
	// Kubeconfig is the path of the file that holds Context; empty where it is
	// one of the user's own, which kubectl finds.
	Kubeconfig string
	// Context is the context of the cluster in it.
	Context string
}

// Zr returns the line of a verb of zr.
func (r Run) Zr(verb string, args ...string) string {
	return Line("zr", append(append([]string{verb}, r.Flags...), args...)...)
}

// Kubectl returns a line for what zr has no verb for.
func (r Run) Kubectl(args ...string) string {
	var flags []string
	if r.Kubeconfig != "" {
		flags = append(flags, "--kubeconfig", r.Kubeconfig)
	}
	if r.Context != "" {
		flags = append(flags, "--context", r.Context)
	}
	return Line("kubectl", append(flags, args...)...)
}

// Anew returns the line that replaces a cluster of zr's own by a new one, without
// its data.
func (r Run) Anew() string { return r.Zr("down", "--purge") + " && " + r.Zr("up") }

// Line returns the line of any program.
func Line(program string, args ...string) string {
	words := []string{quoted(program)}
	for _, arg := range args {
		words = append(words, quoted(arg))
	}
	return strings.Join(words, " ")
}

// plain are the characters that no shell takes for anything but themselves,
// besides letters and digits.
const plain = "-_./:=,@%+"

// quoted writes an argument as a POSIX shell reads it back.
func quoted(arg string) string {
	ordinary := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(plain, r)
	}
	if arg != "" && strings.IndexFunc(arg, func(r rune) bool { return !ordinary(r) }) < 0 {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}
