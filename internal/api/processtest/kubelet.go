package processtest

import (
	"bufio"
	"bytes"
	"io"
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
	files map[string]*logFile // by pod
	ended chan struct{}       // closed with the test
}

// logFile is what the one container of a pod has written.
type logFile struct {
	file *os.File
	size int64
	last time.Time
	more chan struct{} // closed at the next line
}

func newKubelet(t testing.TB) *Kubelet {
	t.Helper()
	k := &Kubelet{t: t, dir: t.TempDir(), files: map[string]*logFile{}, ended: make(chan struct{})}
	server := httptest.NewUnstartedServer(http.HandlerFunc(k.serve))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(func() {
		close(k.ended)
		server.CloseClientConnections()
		server.Close()
		for _, f := range k.files {
			_ = f.file.Close()
		}
	})
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	k.port, _ = strconv.Atoi(u.Port())
	return k
}

func (k *Kubelet) log(pod string) *logFile {
	f := k.files[pod]
	if f == nil {
		file, err := os.Create(filepath.Join(k.dir, pod))
		if err != nil {
			panic(err) // the folder is the test's own
		}
		f = &logFile{file: file, more: make(chan struct{})}
		k.files[pod] = f
	}
	return f
}

// Write adds lines of a pod, each with the time at which it comes.
func (k *Kubelet) Write(pod string, lines ...string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.log(pod)
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

// look returns how much there is, and what is closed when there is more.
func (k *Kubelet) look(pod string) (*logFile, int64, <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.log(pod)
	return f, f.size, f.more
}

// serve answers /containerLogs/<namespace>/<pod>/<container>.
func (k *Kubelet) serve(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/containerLogs/"), "/")
	if len(parts) != 3 || r.URL.Query().Get("timestamps") != "true" {
		http.Error(w, "a kubelet of tests has logs with times only", http.StatusNotFound)
		return
	}
	query := r.URL.Query()
	from := k.from(parts[1], query.Get("sinceTime"))
	for {
		f, size, more := k.look(parts[1])
		if from < size {
			n, err := io.Copy(w, io.NewSectionReader(f.file, from, size-from))
			if from += n; err != nil {
				return
			}
			if http.NewResponseController(w).Flush() != nil {
				return
			}
		}
		if query.Get("follow") != "true" {
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
func (k *Kubelet) from(pod, since string) (offset int64) {
	begin, err := time.Parse(time.RFC3339, since)
	if err != nil {
		return 0
	}
	f, size, _ := k.look(pod)
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
