package lifecycle_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"zr/internal/api/lifecycle"
)

// Without a node no pod gets ready: nothing is said to be done that is not.
func TestLifecycle504(t *testing.T) {
	e := newEnvironment(t)
	e.deploy("web", 1, "")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	got, err := lifecycle.New(e.Kube).Scale(ctx, "web", "ada", 2, false)
	late, ok := errors.AsType[*lifecycle.NotThere](err)
	if !ok || late.Ready != 0 || late.Wanted != 2 {
		t.Errorf("got %+v, %v", got, err)
	}
}
