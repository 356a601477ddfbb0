package gobuild

import (
	"path/filepath"
	"strings"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/build"
)

// TestAnImageOfOtherSourcesNeedNotReplaceTheOneThatRuns goes through what may
// differ between the image that a container was made from and a newer one.
func TestAnImageOfOtherSourcesNeedNotReplaceTheOneThatRuns(t *testing.T) {
	p := newProject(t)
	dev := func(change func(*build.Request)) build.Result {
		return p.build(func(r *build.Request) {
			r.Mode, r.Agent = build.Dev, agent(t, "first")
			change(r)
		})
	}
	as := func(*build.Request) {}
	runs := dev(as)
	p.write("greet/words/hello.txt", "good day")
	nextTick()
	newer := dev(as)
	if newer.Name == runs.Name {
		t.Fatal("the image of other sources is the same")
	}
	kept, ok, err := p.deps.Running(t.Context(), newer, runs.Name)
	if err != nil || !ok || kept.Name != runs.Name || kept.Digest != runs.Digest || kept.InputHash != runs.InputHash || kept.Service != newer.Service {
		t.Errorf("kept %+v, %v, %v", kept, ok, err)
	}
	if same, ok, err := p.deps.Running(t.Context(), newer, newer.Name); err != nil || !ok || same.Name != newer.Name {
		t.Errorf("the same image: %+v, %v, %v", same, ok, err)
	}
	if _, ok, err := p.deps.Running(t.Context(), newer, "demo/api@sha256:"+strings.Repeat("0", 64)); err != nil || ok {
		t.Errorf("one that the store has lost is kept: %v", err)
	}
	for name, other := range map[string]build.Result{
		"another agent":   dev(func(r *build.Request) { r.Agent = agent(t, "second") }),
		"a release image": p.build(),
	} {
		if _, ok, err := p.deps.Running(t.Context(), other, runs.Name); err != nil || ok {
			t.Errorf("%s: the one that runs is kept, %v", name, err)
		}
	}
}

func agent(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "zr-agent")
	testkit.WriteFile(t, path, content)
	return path
}
