// Package kubetest gives tests a real Kubernetes API server.
//
// Either ZR_TEST_KUBECONFIG is the path of a kubeconfig of a running cluster. Or
// ZR_TEST_KUBE_BIN is a folder with the multi-call program "kube" of the kind node
// image and with "server" (etcd): then a control plane without a node is started from
// it, on the loopback. Without either, tests are skipped.
package kubetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"zr/internal/testkit"
	"zr/pkg/kube"
)

var plane controlPlane

// Main runs the tests of a package and stops what they started:
//
//	func TestMain(m *testing.M) { os.Exit(kubetest.Main(m)) }
func Main(m *testing.M) int {
	defer plane.stop()
	return m.Run()
}

// Config returns how to reach the cluster, or skips the test.
func Config(t testing.TB) *kube.Config {
	t.Helper()
	if path := os.Getenv("ZR_TEST_KUBECONFIG"); path != "" {
		cfg, err := kube.Load(path, "")
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	bin := os.Getenv("ZR_TEST_KUBE_BIN")
	if bin == "" {
		t.Skip("neither ZR_TEST_KUBECONFIG nor ZR_TEST_KUBE_BIN is set")
	}
	plane.once.Do(func() { plane.err = plane.start(t, bin) })
	if plane.err != nil {
		t.Fatal(plane.err)
	}
	return rest.CopyConfig(plane.config)
}

// Server starts a control plane for one test, whose API server has further
// flags, and returns how its administrator reaches it; or skips the test.
func Server(t testing.TB, flags ...string) *kube.Config {
	t.Helper()
	bin := os.Getenv("ZR_TEST_KUBE_BIN")
	if bin == "" {
		t.Skip("ZR_TEST_KUBE_BIN is not set")
	}
	var own controlPlane
	t.Cleanup(own.stop)
	if err := own.start(t, bin, flags...); err != nil {
		t.Fatal(err)
	}
	return own.config
}

// Namespace returns a name that no other test uses.
func Namespace(t testing.TB) string {
	t.Helper()
	random := make([]byte, 4)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	return "zrtest-deploy-" + hex.EncodeToString(random)
}

// Connect returns a client of a cluster.
func Connect(t testing.TB, cfg *kube.Config) *kube.Client {
	t.Helper()
	client, err := kube.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// Client returns a client for one resource, to look at the cluster and change
// it as somebody with kubectl would.
func Client(t testing.TB, cfg *kube.Config, group, version, resource string) dynamic.NamespaceableResourceInterface {
	t.Helper()
	objects, err := Connect(t, cfg).Dynamic(func(context.Context, string) {})
	if err != nil {
		t.Fatal(err)
	}
	return objects.Resource(schema.GroupVersionResource{Group: group, Version: version, Resource: resource})
}

// controlPlane is etcd, an API server and the controllers, on the loopback.
type controlPlane struct {
	once      sync.Once
	err       error
	dir       string
	config    *kube.Config
	processes []*exec.Cmd
}

func (p *controlPlane) start(t testing.TB, bin string, flags ...string) (err error) {
	if p.dir, err = os.MkdirTemp("", "zrtest-deploy-"); err != nil {
		return err
	}
	ports := [3]string{}
	for i := range ports {
		ports[i] = strconv.Itoa(testkit.FreePort(t))
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	file := func(name string) string { return filepath.Join(p.dir, name) }
	for _, name := range []string{"kube-apiserver", "kube-controller-manager"} {
		if err := os.Symlink(filepath.Join(bin, "kube"), file(name)); err != nil {
			return err
		}
	}
	kubeconfig := fmt.Sprintf(`{"apiVersion":"v1","kind":"Config","current-context":"c",
		"clusters":[{"name":"c","cluster":{"server":"https://127.0.0.1:%s","insecure-skip-tls-verify":true}}],
		"users":[{"name":"u","user":{"token":"zrtest"}}],"contexts":[{"name":"c","context":{"cluster":"c","user":"u"}}]}`, ports[2])
	for name, content := range map[string][]byte{
		"sa.key":     pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
		"tokens.csv": []byte("zrtest,admin,1,system:masters\n"),
		"kubeconfig": []byte(kubeconfig),
	} {
		if err := os.WriteFile(file(name), content, 0o600); err != nil {
			return err
		}
	}
	etcd := "http://127.0.0.1:" + ports[0]
	if err := p.run(filepath.Join(bin, "server"), "--data-dir", file("etcd"), "--unsafe-no-fsync", "--log-level", "error",
		"--listen-client-urls", etcd, "--advertise-client-urls", etcd, "--listen-peer-urls", "http://127.0.0.1:"+ports[1]); err != nil {
		return err
	}
	if err := p.run(file("kube-apiserver"), append(flags, "--etcd-servers", etcd, "--bind-address", "127.0.0.1", "--secure-port", ports[2],
		"--cert-dir", file("certs"), "--token-auth-file", file("tokens.csv"), "--authorization-mode", "RBAC",
		"--service-account-key-file", file("sa.key"), "--service-account-signing-key-file", file("sa.key"),
		"--service-account-issuer", "https://zrtest", "--service-cluster-ip-range", "10.96.0.0/16")...); err != nil {
		return err
	}
	if p.config, err = kube.Load(file("kubeconfig"), ""); err != nil {
		return err
	}
	if err := p.ready(); err != nil {
		return err
	}
	return p.run(file("kube-controller-manager"), "--kubeconfig", file("kubeconfig"), "--leader-elect=false", "--secure-port", "0",
		"--service-account-private-key-file", file("sa.key"), "--use-service-account-credentials=false")
}

func (p *controlPlane) run(path string, args ...string) error {
	log, err := os.Create(filepath.Join(p.dir, filepath.Base(path)+".log"))
	if err != nil {
		return err
	}
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	p.processes = append(p.processes, cmd)
	return nil
}

// ready waits until the API server serves.
func (p *controlPlane) ready() error {
	client, err := kube.New(p.config)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for client.Get(ctx, "readyz", nil, nil) != nil {
		select {
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(p.dir, "kube-apiserver.log"))
			return fmt.Errorf("the API server does not start: %s", bytes.TrimSpace(log))
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

func (p *controlPlane) stop() {
	for i := len(p.processes) - 1; i >= 0; i-- {
		_ = p.processes[i].Process.Kill()
		_ = p.processes[i].Wait()
	}
	if p.dir != "" {
		_ = os.RemoveAll(p.dir)
	}
}
