package kind

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestALockThatIsRemoved: of many that take it, each of which removes its file,
// one has it at a time, and nothing is left.
func TestALockThatIsRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var holders, most atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for taken := 0; taken < 50; {
				f, err := tryLock(path)
				if err != nil {
					t.Error(err)
					return
				}
				if f == nil {
					time.Sleep(10 * time.Microsecond) // another has it
					continue
				}
				taken++
				if n := holders.Add(1); n > most.Load() {
					most.Store(n)
				}
				holders.Add(-1)
				if err := os.Remove(path); err != nil { // the last that a holder does
					t.Error(err)
				}
				f.Close()
			}
		})
	}
	all.Wait()
	if most.Load() != 1 {
		t.Errorf("%d held it at once", most.Load())
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the file is left: %v", err)
	}
}
