package watch

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

// TestScripts plays the scripts of testdata: what happens to a tree and which
// events the kernel reports for it, at times on a clock of their own, and the
// batches that come of it. A script has lines such as
//
//	have main.go          (there before the watch)
//	0 write main.go text  (at 0 ms; makes the file where it is missing)
//	3 move main.go b.go
//	= 18 write b.go, remove main.go
//
// The last is the batch that is closed at 18 ms. Further steps: make (an empty
// file), folder, remove, touch, chmod, aged, link FROM TO, hold FILE and release (a
// writer that has not closed it yet), overflow (the kernel has lost events), quietly STEP (without events), and arrive FOLDER (its event
// comes after all that is in it was made, quietly).
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(string(data), "\n\n") {
			title, steps, _ := strings.Cut(strings.TrimSpace(part), "\n")
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txt")+"/"+strings.TrimPrefix(title, "# "), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { play(t, steps) })
			})
		}
	}
}

// player is a tree, and a kernel that reports what the script says.
type player struct {
	t       *testing.T
	root    string
	start   time.Time
	events  chan fsnotify.Event
	errors  chan error
	batches []string
	loud    bool
	held    *os.File // open for writing

	mu      sync.Mutex
	watched map[string]bool
}

func (p *player) Add(path string) error {
	if _, err := os.Lstat(path); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watched[path] = true
	return nil
}

func (p *player) watches(path string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.watched[path]
}

func (p *player) Remove(path string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.watched, path)
	return nil
}

func (p *player) Close() error {
	close(p.events)
	close(p.errors)
	return nil
}

func play(t *testing.T, script string) {
	p := &player{t: t, root: t.TempDir(), events: make(chan fsnotify.Event, 1000), errors: make(chan error, 10), watched: map[string]bool{}}
	var want []string
	var rest []string
	for scan := bufio.NewScanner(strings.NewReader(script)); scan.Scan(); {
		line := strings.TrimSpace(scan.Text())
		switch {
		case strings.HasPrefix(line, "have "):
			p.do("write " + strings.TrimPrefix(line, "have "))
		case strings.HasPrefix(line, "= "):
			want = append(want, strings.TrimPrefix(line, "= "))
		case line != "" && line[0] != '#':
			rest = append(rest, line)
		}
	}
	w, err := newWatcher(Options{Roots: []string{p.root}, Always: p.always(), Quick: p.quick}, p, p.events, p.errors)
	if err != nil {
		t.Fatal(err)
	}
	go w.drain()
	r := w.tree.roots[0]
	if err := w.tree.add(r, r.real, w.tree.know); err != nil {
		t.Fatal(err)
	}
	w.tree.addGit()
	if err := w.tree.addAlways(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	p.start, p.loud = time.Now(), true
	go func() {
		defer close(ended)
		_ = w.Run(ctx, p.batch)
	}()
	for _, line := range rest {
		at, step, _ := strings.Cut(line, " ")
		ms, err := strconv.Atoi(at)
		if err != nil {
			t.Fatalf("no time in %q", line)
		}
		time.Sleep(time.Until(p.start.Add(time.Duration(ms) * time.Millisecond)))
		synctest.Wait()
		p.do(step)
	}
	time.Sleep(time.Minute)
	cancel()
	<-ended
	if !slices.Equal(p.batches, want) {
		t.Errorf("got batches\n\t%s\nwant\n\t%s", strings.Join(p.batches, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// always is the file that is watched whatever the ignore files say.
func (p *player) always() []string {
	dir := filepath.Join(p.root, "config")
	if _, err := os.Stat(dir); err != nil {
		return nil
	}
	return []string{filepath.Join(dir, "secret.env")}
}

// quick files are those below web.
func (p *player) quick(path string) bool {
	return strings.HasPrefix(path, filepath.Join(p.root, "web"))
}

func (p *player) batch(b Batch) {
	var changes []string
	for _, c := range b.Changes {
		below, _ := filepath.Rel(p.root, c.Path)
		changes = append(changes, map[Op]string{Write: "write ", Remove: "remove "}[c.Op]+below)
	}
	slices.Sort(changes)
	if n := len(changes); n > 12 {
		changes = []string{fmt.Sprint(n, " changes")}
	}
	if b.Rescan {
		changes = append(changes, "rescan")
	}
	p.batches = append(p.batches, fmt.Sprint(time.Since(p.start).Milliseconds(), " ", strings.Join(changes, ", ")))
}

// tell reports an event of a path, where its folder is watched.
func (p *player) tell(path string, op fsnotify.Op) {
	if p.loud && p.watches(filepath.Dir(path)) {
		p.events <- fsnotify.Event{Name: path, Op: op}
	}
}

func (p *player) do(step string) {
	p.t.Helper()
	word, rest, _ := strings.Cut(step, " ")
	first, second, _ := strings.Cut(rest, " ")
	path := filepath.Join(p.root, first)
	check := func(err error) {
		p.t.Helper()
		if err != nil {
			p.t.Fatalf("%s: %v", step, err)
		}
	}
	if word != "overflow" && !p.loud {
		check(os.MkdirAll(filepath.Dir(path), 0o755))
	}
	switch word {
	case "write", "make":
		if _, err := os.Lstat(path); err != nil {
			check(os.WriteFile(path, nil, 0o644))
			p.tell(path, fsnotify.Create)
		}
		if word == "write" {
			check(os.WriteFile(path, []byte(strings.ReplaceAll(second, `\n`, "\n")), 0o644))
			p.tell(path, fsnotify.Write)
		}
	case "many": // many 300 name: three hundred files
		n, err := strconv.Atoi(first)
		check(err)
		for i := range n {
			p.do(fmt.Sprintf("write %s%d x", second, i))
		}
	case "folder":
		check(os.Mkdir(path, 0o755))
		p.tell(path, fsnotify.Create)
	case "arrive":
		p.tell(path, fsnotify.Create)
	case "remove":
		p.remove(path)
	case "move":
		to := filepath.Join(p.root, second)
		check(os.Rename(path, to))
		p.tell(path, fsnotify.Rename)
		p.tell(to, fsnotify.Create)
	case "link":
		check(os.Symlink(second, path))
		p.tell(path, fsnotify.Create)
	case "touch":
		p.tell(path, fsnotify.Chmod)
	case "hold":
		held, err := os.OpenFile(path, os.O_WRONLY, 0)
		check(err)
		p.held = held
	case "release":
		check(p.held.Close())
	case "aged": // it was written long ago
		check(os.Chtimes(path, time.Time{}, time.Unix(1, 0)))
	case "chmod":
		check(os.Chmod(path, 0o755))
		p.tell(path, fsnotify.Chmod)
	case "quietly":
		p.loud = false
		p.do(rest)
		p.loud = true
	case "overflow":
		p.errors <- fsnotify.ErrEventOverflow
	default:
		p.t.Fatalf("no step %q", step)
	}
}

// remove reports what is in a folder first, as the kernel does.
func (p *player) remove(path string) {
	entries, _ := os.ReadDir(path)
	for _, e := range entries {
		p.remove(filepath.Join(path, e.Name()))
	}
	if err := os.Remove(path); err != nil {
		p.t.Fatal(err)
	}
	p.tell(path, fsnotify.Remove)
	_ = p.Remove(path) // the kernel forgets it
}
