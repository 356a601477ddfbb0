package deploy

import (
	"context"
	"slices"
	"sync"
)

// warnings are what the server says beside its answers: deprecated versions,
// pods that the namespace's pod security will reject.
type warnings struct {
	mu    sync.Mutex
	texts []string
}

type warningsKey struct{}

// about is what a warning comes from.
type about struct {
	warnings *warnings
	object   string
}

// in returns a context whose requests are about the named object.
func (w *warnings) in(ctx context.Context, object string) context.Context {
	return context.WithValue(ctx, warningsKey{}, about{w, object})
}

func (w *warnings) add(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.texts, text) {
		w.texts = append(w.texts, text)
	}
}

func (w *warnings) sorted() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(slices.Values(w.texts))
}

// warned hands a warning to the request that it belongs to.
func warned(ctx context.Context, text string) {
	if a, ok := ctx.Value(warningsKey{}).(about); ok {
		a.warnings.add(a.object + ": " + text)
	}
}
