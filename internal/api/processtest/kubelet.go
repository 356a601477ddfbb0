package processtest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Kubelet serves the logs of containers as a kubelet does, from files that are appended
// to: from a second on, each line with its time in front, and on and on where that is
// asked for. It is safe for concurrent use.
type Kubelet struct {
	t    testing.TB
	dir  string
	port int

	mu    sync.Mutex
	files map[string][]*logFile // by pod, one for each run
	cut   bool                  // the next answer breaks off
	ended chan struct{}         // closed with the test
}

// logFile is what one run of the one container of a pod has written.
type logFile struct {
	file *os.File
	size int64
	last time.Time
	over bool          // another run has begun
	more chan struct{} // closed at the next line, or when it is over
}

func newKubelet(t testing.TB) *Kubelet {
	t.Helper()
	k := &Kubelet{t: t, dir: t.TempDir(), files: map[string][]*logFile{}, ended: make(chan struct{})}
	server := httptest.NewUnstartedServer(http.HandlerFunc(k.serve))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(func() {
		close(k.ended)
		server.CloseClientConnections()
		server.Close()
		for _, runs := range k.files {
			for _, f := range runs {
				_ = f.file.Close()
			}
		}
	})
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	k.port, _ = strconv.Atoi(u.Port())
	return k
}

// log returns the file of a run: of the newest one, or of the one before.
func (k *Kubelet) log(pod string, before bool) *logFile {
	if len(k.files[pod]) == 0 {
		k.begin(pod)
	}
	runs := k.files[pod]
	if before {
		return runs[max(len(runs)-2, 0)]
	}
	return runs[len(runs)-1]
}

func (k *Kubelet) begin(pod string) {
	file, err := os.Create(filepath.Join(k.dir, fmt.Sprint(pod, ".", len(k.files[pod]))))
	if err != nil {
		panic(err) // the folder is the test's own
	}
	k.files[pod] = append(k.files[pod], &logFile{file: file, more: make(chan struct{})})
}

// Restart ends the run of a pod's container and begins another.
func (k *Kubelet) Restart(pod string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.log(pod, false)
	f.over = true
	close(f.more)
	k.begin(pod)
	k.log(pod, false).last = f.last
}

// Cut breaks off the next answer that has something, anywhere in it.
func (k *Kubelet) Cut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cut = true
}

func (k *Kubelet) takeCut() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	cut := k.cut
	k.cut = false
	return cut
}

// Write adds lines of a pod, each with the time at which it comes.
func (k *Kubelet) Write(pod string, lines ...string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.log(pod, false)
	var text bytes.Buffer
	for _, line := range lines {
		now := time.Now().UTC()
		if !now.After(f.last) {
			now = f.last.Add(time.Nanosecond)
		}
		f.last = now
		text.WriteString(now.Format("2006-01-02T15:04:05.000000000Z07:00"))
		text.WriteByte(' ')
		text.WriteString(line)
		text.WriteByte('\n')
	}
	n, err := f.file.Write(text.Bytes())
	if err != nil {
		panic(err) // the disk is full
	}
	f.size += int64(n)
	close(f.more)
	f.more = make(chan struct{})
}

// look returns how much of a run there is, whether it is over, and what is closed when
// there is more.
func (k *Kubelet) look(f *logFile) (size int64, over bool, more <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return f.size, f.over, f.more
}

// serve answers /containerLogs/<namespace>/<pod>/<container>.
func (k *Kubelet) serve(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/containerLogs/"), "/")
	if len(parts) != 3 || r.URL.Query().Get("timestamps") != "true" {
		http.Error(w, "a kubelet of tests has logs with times only", http.StatusNotFound)
		return
	}
	query := r.URL.Query()
	k.mu.Lock()
	f := k.log(parts[1], query.Get("previous") == "true")
	k.mu.Unlock()
	from := k.from(f, query.Get("sinceTime"))
	for {
		size, over, more := k.look(f)
		if from < size {
			if k.takeCut() {
				_, _ = io.Copy(w, io.NewSectionReader(f.file, from, rand.Int64N(size-from)))
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}
			n, err := io.Copy(w, io.NewSectionReader(f.file, from, size-from))
			if from += n; err != nil {
				return
			}
			if http.NewResponseController(w).Flush() != nil {
				return
			}
		}
		if over || query.Get("follow") != "true" {
			return
		}
		select {
		case <-more:
		case <-r.Context().Done():
			return
		case <-k.ended:
			return
		}
	}
}

// from returns where the first line of a time, or after it, begins.
func (k *Kubelet) from(f *logFile, since string) (offset int64) {
	begin, err := time.Parse(time.RFC3339, since)
	if err != nil {
		return 0
	}
	size, _, _ := k.look(f)
	lines := bufio.NewReader(io.NewSectionReader(f.file, 0, size))
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return offset
		}
		stamp, _, _ := strings.Cut(line, " ")
		if at, err := time.Parse(time.RFC3339Nano, stamp); err == nil && !at.Before(begin) {
			return offset
		}
		offset += int64(len(line))
	}
}
