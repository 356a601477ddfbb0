package image

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
)

// Node is a machine of a cluster with containerd, its client ctr and a POSIX
// shell on it. Run runs a command there to its end; its error carries what the
// command wrote to stderr. Where stdin is an *os.File, Run should hand it to
// the command as it is.
type Node interface {
	Name() string
	Run(ctx context.Context, stdin io.Reader, stdout io.Writer, args ...string) error
}

// namespace is containerd's namespace of the images that the kubelet sees.
const namespace = "k8s.io"

// Has asks a node which of the names it knows, and returns the manifest digest
// of each that it does, by the name as given. It is one command on the node.
func Has(ctx context.Context, node Node, names ...string) (map[string]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	full, filters, err := filtersOf(names)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	args := append([]string{"ctr", "-n", namespace, "images", "ls"}, filters...)
	if err := node.Run(ctx, nil, &out, args...); err != nil {
		return nil, fmt.Errorf("asking node %q for its images: %w", node.Name(), err)
	}
	digests := map[string]string{}
	for line := range strings.Lines(out.String()) {
		if name, digest, ok := imageLine(line); ok {
			digests[name] = digest
		}
	}
	held := map[string]string{}
	for i, name := range names {
		if digest, ok := digests[full[i]]; ok {
			held[name] = digest
		}
	}
	return held, nil
}

// filtersOf returns the normalized names, and the filters by which ctr finds
// exactly them.
func filtersOf(names []string) (full, filters []string, err error) {
	for _, name := range names {
		n, err := Normalize(name)
		if err != nil {
			return nil, nil, err
		}
		full = append(full, n)
		filters = append(filters, fmt.Sprintf("name==%q", n))
	}
	return full, filters, nil
}

// imageLine reads a line of `ctr images ls`: REF TYPE DIGEST SIZE ...
func imageLine(line string) (name, digest string, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 3 || !strings.HasPrefix(fields[2], "sha256:") {
		return "", "", false
	}
	return fields[0], fields[2], true
}

// completeLine reads a line of `ctr images check`, whose status is "complete
// (4/4)" where all content is on the node.
func completeLine(line string) (name string, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 4 || fields[3] != "complete" {
		return "", false
	}
	return fields[0], true
}
