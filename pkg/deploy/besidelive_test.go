package deploy_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
)

// controller writes to an object before each request that rehearses a change of it.
type controller struct {
	inner http.RoundTripper
	write func()
}

func (c *controller) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method == http.MethodPatch && strings.HasSuffix(request.URL.Path, "/deployments/web") {
		c.write()
	}
	return c.inner.RoundTrip(request)
}

// What a controller writes between a look and the question what would change is not
// told as a change.
func TestAControllerWritesMeanwhile(t *testing.T) {
	r := newRun(t)
	r.up()
	patch := func(body string) {
		if _, err := r.admin.at("deployments", r.Namespace).Patch(t.Context(), "web", types.MergePatchType, []byte(body), metav1.PatchOptions{FieldManager: "controller"}); err != nil {
			t.Error(err)
		}
	}
	patch(`{"metadata":{"labels":{"app.kubernetes.io/managed-by":"hand"}}}`) // so that the server is asked
	writes := 0
	r.cfg = rest.CopyConfig(r.cfg)
	r.cfg.Wrap(func(inner http.RoundTripper) http.RoundTripper {
		return &controller{inner, func() {
			writes++
			patch(fmt.Sprintf(`{"metadata":{"annotations":{"revision":"%d"}}}`, writes))
		}}
	})
	cs := r.diff()
	if writes == 0 || len(cs.Changed()) != 1 {
		t.Fatalf("%d writes, changed are %v", writes, actions(cs))
	}
	for _, f := range cs.Changed()[0].Fields {
		if strings.Contains(f.Path, "revision") {
			t.Errorf("a change of the controller's is told: %+v", f)
		}
	}
}
