package stack

import (
	"strings"
	"testing"

	"zr/internal/testkit"
)

const readsSecrets = `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web, namespace: tiny, labels: {team: a}}
spec:
  serviceName: web
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: "example/web:1", env: [{name: A, valueFrom: {secretKeyRef: {name: secrets, key: A}}}]}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: tiny}
spec: {selector: {app: web}, ports: [{port: 80}]}
`

// TestManifestsAreTheSameOnEveryMachine renders with the secrets of two people,
// and with none.
func TestManifestsAreTheSameOnEveryMachine(t *testing.T) {
	var first string
	for _, secrets := range []string{"A=one-secret\n", "A=another\nB=more\n", ""} {
		files := testkit.Project("project: tiny\nservices: {web: {}}\nsettings: {LEVEL: info}\n")
		files["kustomize/overlays/dev/all.yaml"] = readsSecrets
		files["config/secrets/dev.env.example"] = "A=mock-a\n"
		if secrets != "" {
			files["config/secrets/dev.env"] = secrets
		}
		text, err := stackOf(t, files).Manifests(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := string(text)
		if first == "" {
			first = got
		}
		if got != first {
			t.Errorf("with the secrets %q it is\n%s\nand not\n%s", secrets, got, first)
		}
	}
	for _, foreign := range []string{"kind: Secret", "applyset", "managed-by", "one-secret", "mock-"} {
		if strings.Contains(first, foreign) {
			t.Errorf("the manifests have %q:\n%s", foreign, first)
		}
	}
	for _, part := range []string{"kind: ConfigMap", "LEVEL: info", "team: a", "image: example/web:1", "kind: StatefulSet"} {
		if !strings.Contains(first, part) {
			t.Errorf("the manifests lack %q:\n%s", part, first)
		}
	}
}
