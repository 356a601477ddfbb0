package overlay

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"

	"zr/pkg/fault"
)

// fetchTime is how long kustomize may take where it fetches: ten repositories,
// for each of which it waits for 27 s.
const fetchTime = 5 * time.Minute

// allow tells what is fetched, or refuses it where nobody is to be told.
func allow(fetches []fetch, tell func(what []string)) error {
	if len(fetches) == 0 {
		return nil
	}
	var what []string
	var refused []error
	for _, f := range fetches {
		what = append(what, f.what)
		refused = append(refused, fmt.Errorf("%s%q is fetched from elsewhere", f.position, f.what))
	}
	if tell != nil {
		tell(what)
		return nil
	}
	return fault.Hint(errors.Join(refused...), "`--fetch` lets kustomize do so, by git, ssh and HTTP, or copy it into the project")
}

// run runs kustomize. Where that fetches something, it does not listen to a
// context, and is left alone when that ends.
func run(ctx context.Context, files *files, overlay string, fetches bool) (resmap.ResMap, error) {
	options := krusty.MakeDefaultOptions()
	options.LoadRestrictions = types.LoadRestrictionsRootOnly
	if !fetches {
		return krusty.MakeKustomizer(options).Run(files, overlay)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, fetchTime, fmt.Errorf("what the overlay fetches did not come within %s", fetchTime))
	defer cancel()
	type outcome struct {
		resources resmap.ResMap
		err       error
	}
	done := make(chan outcome, 1)
	go func() {
		resources, err := krusty.MakeKustomizer(options).Run(files, overlay)
		done <- outcome{resources, err}
	}()
	select {
	case o := <-done:
		return o.resources, o.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// scpStyle is how git names a repository that it reaches by ssh: user@host:path.
var scpStyle = regexp.MustCompile(`^[a-z][a-z0-9-]*@.*[:/]`)

// address finds one anywhere in a text.
var address = regexp.MustCompile(`(?i)https?:|://|github\.com|[a-z0-9]@\S*[:/]`)

// fetched says whether kustomize may take a path for an address: it runs git, and
// so ssh, for a repository, and asks for a file by HTTP. It has the rules of
// kustomize's own functions, which are not for others, and where those look
// further, it takes more for an address than they do.
func fetched(path string) bool {
	path = strings.ToLower(path)
	for _, scheme := range []string{"http:", "https:"} { // of a file, also without slashes
		if strings.HasPrefix(path, scheme) {
			return true
		}
	}
	path = strings.TrimPrefix(path, "git::")
	for _, prefix := range []string{"http://", "https://", "ssh://", "file://", "github.com/", "github.com:"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return scpStyle.MatchString(path)
}
