package processtest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"zr/internal/api/processtest"
	"zr/internal/api/routes/logs"
	"zr/pkg/deploy/kubetest"
	"zr/pkg/health/testcluster"
)

// BenchmarkPodToFrame follows a pod of a real node that writes 1,000 lines a second, each
// with the time at which it is written: through the api, and by kubectl.
func BenchmarkPodToFrame(b *testing.B) {
	if os.Getenv("ZR_TEST_KUBECONFIG") == "" {
		b.Skip("ZR_TEST_KUBECONFIG names no cluster")
	}
	testcluster.New(b).LoadApp()
	c := processtest.New(b, kubetest.Config(b))
	c.Create(c.Objects("", "v1", "pods"), fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {terminationGracePeriodSeconds: 0,
		containers: [{name: main, image: %q, imagePullPolicy: Never, args: [-lines=1000000, -every=1ms, -now]}]}}`, testcluster.AppImage))
	a, client := served(b, c.Mount())
	ctx, stop := context.WithCancel(b.Context())
	var working sync.WaitGroup
	defer working.Wait()
	defer stop()
	var here, bare times
	working.Go(func() {
		client.Watch(ctx, func(lines []logs.Line) {
			for _, l := range lines {
				here.sinceWritten(l.Message)
			}
		})
	})
	a.Await("lines in frames", func() bool { return here.at(50) > 0 })
	working.Go(func() {
		for lines := bufio.NewScanner(kubectlLogs(ctx, b, c.Name)); lines.Scan(); {
			bare.sinceWritten(lines.Text())
		}
	})
	a.Await("lines of kubectl", func() bool { return bare.at(50) > 0 })
	for b.Loop() {
		time.Sleep(time.Second) // the lines from before are read
		here.forget()
		bare.forget()
		time.Sleep(30 * time.Second)
		b.Logf("stdout of a pod → the frame of a WebSocket, at 1,000 lines/s: %v", &here)
		b.Logf("the same lines → kubectl logs --follow: %v (load %s)", &bare, load())
	}
}

// sinceWritten adds the time since a line was written, which stands at its end.
func (s *times) sinceWritten(line string) {
	_, stamp, _ := strings.Cut(line, " at ")
	if at, err := time.Parse(time.RFC3339Nano, stamp); err == nil {
		s.add(time.Since(at))
	}
}

// kubectlLogs is what kubectl writes of the pod until ctx ends. The kubectl is that of the
// node image, or the one of this machine.
func kubectlLogs(ctx context.Context, b *testing.B, namespace string) io.Reader {
	program := "kubectl"
	if bin := os.Getenv("ZR_TEST_KUBE_BIN"); bin != "" {
		program = filepath.Join(b.TempDir(), "kubectl") // it does what its name says
		if err := os.Symlink(filepath.Join(bin, "kube"), program); err != nil {
			b.Fatal(err)
		}
	}
	kubectl := exec.CommandContext(ctx, program, "--kubeconfig", os.Getenv("ZR_TEST_KUBECONFIG"), "--namespace", namespace, "logs", "--follow", "--since=1s", "web")
	out, err := kubectl.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := kubectl.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = kubectl.Wait() }) // ended by ctx
	return out
}
