package recipe

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

func TestPartIsMadeOnce(t *testing.T) {
	dir := t.TempDir()
	var made atomic.Int32
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			c, err := openCache(dir) // as another process would
			if err != nil {
				t.Error(err)
				return
			}
			defer c.close()
			path, err := c.part(context.Background(), "kind", "key", func(path string) error {
				made.Add(1)
				return os.WriteFile(path, []byte("whole"), 0o644)
			})
			if err != nil {
				t.Error(err)
				return
			}
			if content, err := os.ReadFile(path); err != nil || string(content) != "whole" {
				t.Errorf("content = %q, %v", content, err)
			}
		})
	}
	wait.Wait()
	if made.Load() != 1 {
		t.Errorf("made %d times", made.Load())
	}
}

// TestDamagedPart: what a power failure took the content of is made again.
func TestDamagedPart(t *testing.T) {
	c, err := openCache(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	made := 0
	get := func() string {
		path, err := c.part(context.Background(), "kind", "key", func(path string) error {
			made++
			return errors.Join(os.MkdirAll(path, 0o755), os.WriteFile(filepath.Join(path, "program"), []byte("whole"), 0o755))
		})
		if err != nil {
			t.Fatal(err)
		}
		return filepath.Join(path, "program")
	}
	program := get()
	if err := os.WriteFile(program, make([]byte, 5), 0o755); err != nil {
		t.Fatal(err)
	}
	get()
	if content, err := os.ReadFile(get()); err != nil || string(content) != "whole" || made != 2 {
		t.Errorf("content %q, %v, made %d times", content, err, made)
	}
	// One of an earlier zr has no sum and is believed: it may have taken minutes.
	if err := os.Remove(filepath.Dir(program) + sumSuffix); err != nil {
		t.Fatal(err)
	}
	if get(); made != 2 {
		t.Errorf("made %d times", made)
	}
}

func TestPartThatFailsLeavesNothing(t *testing.T) {
	c, err := openCache(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	boom := errors.New("boom")
	_, err = c.part(context.Background(), "kind", "key", func(path string) error {
		if err := os.WriteFile(path, []byte("half"), 0o644); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatalf("err = %v", err)
	}
	if _, err := os.Stat(c.path("kind", "key")); !os.IsNotExist(err) {
		t.Error("the half part has its name")
	}
	if left, _ := os.ReadDir(c.path(workDir)); len(left) > 0 {
		t.Errorf("work is left: %v", left)
	}
}

func TestPartCanBeLeft(t *testing.T) {
	dir := t.TempDir()
	c, err := openCache(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	unlock, err := c.lockPart(context.Background(), "kind-key")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("enough")
	cancel(why)
	if _, err := c.part(ctx, "kind", "key", nil); !errors.Is(err, why) {
		t.Errorf("err = %v", err)
	}
}

func TestKilledWorkIsCleared(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, workDir, "kind-123", "part")
	if err := os.MkdirAll(left, 0o755); err != nil {
		t.Fatal(err)
	}
	first, err := openCache(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Error("what a killed run left is still there")
	}
	// While somebody works, nobody clears.
	if err := os.MkdirAll(left, 0o755); err != nil {
		t.Fatal(err)
	}
	second, err := openCache(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); err != nil {
		t.Error("the work of a living run was cleared")
	}
	first.close()
	second.close()
}
