// Package overlay runs kustomize on an overlay that need not be trusted. All that
// kustomize would read is looked at first. What would be fetched is told or refused. A
// failure names the file and the line.
package overlay

import (
	"context"
	"fmt"
	"sync"
)

// Resource is one that kustomize made. Kind and Name are for messages.
type Resource struct {
	Kind, Name string
	Object     map[string]any
}

// Build returns what the overlay in the folder dir, an absolute path, is made of, in
// the order of kustomize. It also returns the absolute paths of the files that were
// read, sorted. tell is called with what is fetched from elsewhere; where it is nil,
// that is refused. The error names every fault that was found.
func Build(ctx context.Context, dir string, tell func(what []string)) (made []Resource, read []string, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	files := newFiles()
	survey := look(files, dir)
	err = survey.wrong()
	if err == nil {
		err = allow(survey.fetches, tell)
	}
	if err != nil {
		return nil, nil, err
	}
	var looking sync.WaitGroup
	looking.Go(survey.rest)
	resources, err := run(ctx, files, dir, len(survey.fetches) > 0)
	looking.Wait()
	if wrong := survey.wrong(); wrong != nil {
		return nil, nil, wrong
	}
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	if err != nil {
		return nil, nil, diagnose(dir, err)
	}
	for _, resource := range resources.Resources() {
		object, err := resource.Map()
		if err != nil {
			return nil, nil, diagnose(dir, fmt.Errorf("reading %s %q: %w", resource.GetKind(), resource.GetName(), err))
		}
		made = append(made, Resource{resource.GetKind(), resource.GetName(), object})
	}
	return made, files.read(), nil
}
