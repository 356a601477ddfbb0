package stack

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"zr/internal/testkit"
	"zr/pkg/cluster"
	"zr/pkg/deploy"
	"zr/pkg/deploy/kubetest"
	"zr/pkg/event"
	"zr/pkg/fault"
)

// TestTwoDevelopersOnOneCluster have a namespace each of one environment. The one
// that its owner has left is removed by the next run of the other's, with a word.
func TestTwoDevelopersOnOneCluster(t *testing.T) {
	cfg := kubetest.Config(t)
	c := &cluster.Cluster{Name: "team", Context: "team", Client: kubetest.Connect(t, cfg)}
	files := testkit.Project(sharedConfig)
	files["kustomize/overlays/dev/all.yaml"] = strings.NewReplacer("type: NodePort, ", "", ", nodePort: 30080", "", ", nodePort: 30081", "").Replace(testkit.Overlay)
	namespaces := kubetest.Client(t, cfg, "", "v1", "namespaces")
	type developer struct {
		*Stack
		on   *connection
		said []string
	}
	join := func(keep time.Duration) *developer {
		t.Helper()
		namespace, d := kubetest.Namespace(t), &developer{Stack: stackOf(t, files)}
		t.Cleanup(func() { _ = namespaces.Delete(context.Background(), namespace, metav1.DeleteOptions{}) })
		if err := d.cfg.In(namespace); err != nil {
			t.Fatal(err)
		}
		d.options = Options{Verb: "up", Keep: keep}
		d.sink = event.SinkFunc(func(e event.Event) {
			if n, ok := e.(event.Notice); ok {
				d.said = append(d.said, n.Text)
			}
		})
		p, err := d.render(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if d.on, err = p.connect(nil, c); err != nil {
			t.Fatal(err)
		}
		changes, err := d.on.deployer.Diff(t.Context(), p.rendered)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.on.deployer.Apply(t.Context(), p.rendered, changes, event.Discard); err != nil {
			t.Fatal(err)
		}
		if err := d.keep(t.Context(), d.on.deployer); err != nil {
			t.Fatal(err)
		}
		return d
	}
	there := func(d *developer) bool {
		t.Helper()
		found, err := namespaces.Get(t.Context(), d.cfg.Namespace, metav1.GetOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Fatal(err)
		}
		return err == nil && found.GetDeletionTimestamp() == nil
	}
	ann, ben := join(-time.Hour), join(time.Hour)
	if ann.set() == ben.set() || !there(ann) || !there(ben) {
		t.Fatalf("%s, %s", ann.set(), ben.set())
	}
	t.Run("two runs at a time", func(t *testing.T) { testTwoRuns(t, ben.Stack, ben.on.deployer) })
	ann.options.Keep = time.Hour // she works on
	if err := ann.keepAndClean(t.Context(), ann.on); err != nil || !there(ann) {
		t.Errorf("her own run takes it down: %v", err)
	}
	if err := ben.keepAndClean(t.Context(), ben.on); err != nil || !there(ann) {
		t.Errorf("what was renewed is taken down: %v", err)
	}
	ann.options.Keep = -time.Hour // and leaves
	if err := ann.keep(t.Context(), ann.on.deployer); err != nil {
		t.Fatal(err)
	}
	if err := ben.keepAndClean(t.Context(), ben.on); err != nil {
		t.Fatal(err)
	}
	if there(ann) || !there(ben) {
		t.Errorf("of what expired and what did not, these are there: %v, %v", there(ann), there(ben))
	}
	if len(ben.said) != 1 || !strings.Contains(ben.said[0], ann.cfg.Namespace) || !strings.Contains(ben.said[0], "with its data") {
		t.Errorf("said %q", ben.said)
	}
}

// testTwoRuns has a second run meet the first, end with what to do, and wait for it.
func testTwoRuns(t *testing.T, s *Stack, d *deploy.Deployer) {
	var first, second runLease
	_, done, err := s.takeLease(t.Context(), &first, d)
	if err != nil {
		t.Fatal(err)
	}
	defer first.release()
	defer done()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = s.takeLease(t.Context(), &second, d)
	testkit.ErrorSays(t, err, "`zr up` of ", " on "+host, fmt.Sprintf("process %d, has been at work on %q since ", os.Getpid(), s.set()))
	if hint := fault.HintOf(err); fault.Code(err) != fault.Failed || !strings.Contains(hint, "zr up ") || !strings.Contains(hint, " --wait` waits for it") {
		t.Errorf("code %d, hint %q", fault.Code(err), hint)
	}

	s.options.Wait = true
	told := s.sink
	defer func() { s.options.Wait, s.sink = false, told }()
	var said []string
	s.sink = event.SinkFunc(func(e event.Event) {
		if n, ok := e.(event.Notice); ok {
			said = append(said, n.Text)
			first.release()
		}
	})
	_, waited, err := s.takeLease(t.Context(), &second, d)
	if err != nil || !second.afterOthers() || len(said) != 1 || !strings.Contains(said[0], " on "+host) || !strings.HasSuffix(said[0], "; waiting for it") {
		t.Fatalf("with --wait: %v; said %q", err, said)
	}
	waited()
	second.release()
}
