package network

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/fsnotify/fsnotify"
	"k8s.io/klog/v2"
)

// resultsDir is where the CNI library keeps what it did for each pod.
const resultsDir = "/var/lib/cni/results"

// localPods knows the addresses of this node's pods from the moment that they
// have them. The API hears of them up to seconds later, when containers run
// already and a policy that names their pod must let them through.
type localPods struct {
	dir     string
	changed func()

	mu    sync.Mutex
	known map[string]localPod // by file
}

type localPod struct {
	pod string // namespace/name
	ips []netip.Addr
}

// watchLocalPods watches dir until ctx is done and calls changed with each
// pod that comes or goes.
func watchLocalPods(ctx context.Context, dir string, changed func()) (*localPods, error) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watching %s: %w", dir, err)
	}
	if err := watcher.Add(dir); err != nil {
		watcher.Close()
		return nil, fmt.Errorf("watching %s: %w", dir, err)
	}
	l := &localPods{dir: dir, changed: changed, known: map[string]localPod{}}
	l.readAll()
	go l.follow(ctx, watcher)
	return l, nil
}

func (l *localPods) follow(ctx context.Context, watcher *fsnotify.Watcher) {
	defer watcher.Close()
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-watcher.Events:
			l.read(event.Name)
		case err := <-watcher.Errors:
			klog.ErrorS(err, "Looking at all pods again", "folder", l.dir)
			l.readAll()
		}
	}
}

func (l *localPods) readAll() {
	files, err := os.ReadDir(l.dir)
	if err != nil {
		klog.ErrorS(err, "Listing pods", "folder", l.dir)
		return
	}
	l.mu.Lock()
	clear(l.known)
	l.mu.Unlock()
	for _, file := range files {
		l.read(filepath.Join(l.dir, file.Name()))
	}
	l.changed()
}

// read takes in one result. A file that is half written cannot be parsed; the
// event of its last write comes.
func (l *localPods) read(file string) {
	pod, ok := parseResult(file)
	l.mu.Lock()
	before, had := l.known[file]
	if ok {
		l.known[file] = pod
	} else {
		delete(l.known, file)
	}
	l.mu.Unlock()
	if ok != had || ok && fmt.Sprint(before) != fmt.Sprint(pod) {
		l.changed()
	}
}

func parseResult(file string) (localPod, bool) {
	content, err := os.ReadFile(file)
	if err != nil {
		return localPod{}, false
	}
	var cached struct {
		NetworkName string      `json:"networkName"`
		CNIArgs     [][2]string `json:"cniArgs"`
		Result      struct {
			IPs []struct {
				Address string `json:"address"`
			} `json:"ips"`
		} `json:"result"`
	}
	if json.Unmarshal(content, &cached) != nil || cached.NetworkName != "zr" {
		return localPod{}, false
	}
	args := map[string]string{}
	for _, arg := range cached.CNIArgs {
		args[arg[0]] = arg[1]
	}
	pod := localPod{pod: args["K8S_POD_NAMESPACE"] + "/" + args["K8S_POD_NAME"]}
	for _, ip := range cached.Result.IPs {
		address, _, _ := strings.Cut(ip.Address, "/")
		if a, err := netip.ParseAddr(address); err == nil {
			pod.ips = append(pod.ips, a)
		}
	}
	return pod, len(pod.ips) > 0
}

// ips returns the addresses by namespace/name.
func (l *localPods) ips() map[string][]netip.Addr {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := map[string][]netip.Addr{}
	for _, p := range l.known {
		all[p.pod] = append(all[p.pod], p.ips...)
	}
	return all
}
