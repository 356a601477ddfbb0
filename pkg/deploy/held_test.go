package deploy_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"zr/internal/testkit"
	"zr/pkg/deploy"
	"zr/pkg/deploy/kubetest"
	"zr/pkg/fault"
)

// withPassword lets the database read the password too.
func (r *run) withPassword() {
	r.Edit("db.yaml", `[{name: db, image: "example/db:1"}]`,
		`[{name: db, image: "example/db:1", env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: secrets, key: PASSWORD}}}]}]`)
	r.Options.Secrets["TOKEN"] = "one token"
}

func (r *run) held() map[string]string {
	r.T.Helper()
	for _, namespace := range []string{r.Namespace, ""} { // as up asks, and before anything is rendered
		d, err := deploy.New(kubetest.Connect(r.T, r.cfg), r.Options.Set, namespace)
		if err != nil {
			r.T.Fatal(err)
		}
		held, err := d.Held(r.T.Context())
		if err != nil {
			r.T.Fatal(err)
		}
		if namespace == "" {
			return held
		}
	}
	return nil
}

// TestSecretsAreHeldAsLongAsTheVolume asks what the cluster has of an
// environment that runs, of one that was taken down, and of none.
func TestSecretsAreHeldAsLongAsTheVolume(t *testing.T) {
	r := newRun(t)
	r.Options.Set = "zr-" + r.Namespace // no other test's, in any namespace
	if held := r.held(); held != nil {
		t.Errorf("before the first run there is %v", held)
	}
	r.up()
	want := map[string]string{"PASSWORD": "correct horse"}
	if held := r.held(); !maps.Equal(held, want) {
		t.Errorf("a running environment has %v", held)
	}
	r.await("the database's claim", func() bool { return r.admin.get("persistentvolumeclaims", r.Namespace, "data-db-0") != nil })
	r.remove(false)
	if held := r.held(); !maps.Equal(held, want) {
		t.Errorf("after down there is %v", held)
	}
	r.remove(true)
	if held := r.held(); held != nil {
		t.Errorf("after a purge there is %v", held)
	}
}

// TestSecretThatLocksOutAVolume changes the password of a database whose volume
// was made with another one.
func TestSecretThatLocksOutAVolume(t *testing.T) {
	r := newRun(t)
	r.withPassword()
	r.up()
	r.await("the database's claim", func() bool { return r.admin.get("persistentvolumeclaims", r.Namespace, "data-db-0") != nil })
	r.Options.Secrets["TOKEN"] = "other token" // nothing with a volume reads it
	r.Options.Secrets["MORE"] = "was not there"
	r.up()

	r.Options.Secrets["PASSWORD"] = "battery staple"
	err := r.diffError()
	testkit.ErrorSays(t, err, `Secret "secrets": PASSWORD would change`, `StatefulSet "db"`, "data-db-0")
	if hint := fault.HintOf(err); fault.Code(err) != fault.Usage || !strings.Contains(hint, "config/secrets/") || !strings.Contains(hint, "--change-secrets") {
		t.Errorf("code %d, hint %q", fault.Code(err), hint)
	}
	if strings.Contains(err.Error()+fault.HintOf(err), "horse") || strings.Contains(err.Error(), "staple") {
		t.Errorf("a value is shown: %v", err)
	}
	// After a down there is still the volume.
	r.remove(false)
	testkit.ErrorSays(t, r.diffError(), "PASSWORD would change")

	d := r.deployer()
	d.ChangeSecrets = true
	if _, err := d.Diff(t.Context(), r.Render()); err != nil {
		t.Errorf("where it is asked for: %v", err)
	}
	// Without the volume nobody is locked out.
	r.remove(true)
	r.up()
}

// TestOthersOnTheCluster names the other environments that are there, those
// that were only taken down included, and removes none with its own.
func TestOthersOnTheCluster(t *testing.T) {
	mine, theirs := newRun(t), newRun(t)
	mine.Options.Set, theirs.Options.Set = "zr-mine-"+mine.Namespace, "zr-theirs-"+theirs.Namespace
	mine.up()
	theirs.up()
	others := func() bool {
		found, err := mine.deployer().Others(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return slices.Contains(found, theirs.Options.Set) && !slices.Contains(found, mine.Options.Set)
	}
	if !others() {
		t.Error("the other environment is not named")
	}
	theirs.await("the database's claim", func() bool { return theirs.admin.get("persistentvolumeclaims", theirs.Namespace, "data-db-0") != nil })
	theirs.remove(false)
	if !others() {
		t.Error("one with a volume is not named after it was taken down")
	}
	mine.remove(true)
	if theirs.admin.get("persistentvolumeclaims", theirs.Namespace, "data-db-0") == nil {
		t.Error("a purge took the volume of another environment")
	}
	theirs.remove(true)
	if others() {
		t.Error("one that was purged is still named")
	}
}
