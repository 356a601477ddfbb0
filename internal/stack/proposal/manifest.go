package proposal

import (
	"fmt"
	"regexp"
)

// asUser is a line of a Dockerfile after which its program is not root.
var asUser = regexp.MustCompile(`(?im)^\s*USER\s+(?:[1-9]\d*)(?::\d+)?\s*$`)

// restricted says whether the pods of a proposal can be what Pod Security calls so: an
// image of a Dockerfile runs as root, unless that says another number. A name would not
// do, since the kubelet cannot know whose it is.
func restricted(p Proposed, sources string) bool {
	return p.Kind != "dockerfile" || asUser.MatchString(sources)
}

// manifestOf is the Deployment and the Service of a proposal, which is reached at this
// port; on this machine, too, where the Service is of a type that says so.
func manifestOf(p Proposed, sources string, port int, local bool) string {
	probe := "tcpSocket: {port: http}"
	if health := healthOf(sources); health != "" {
		probe = "httpGet: {path: " + health + ", port: http}"
	}
	pod, container := "", ""
	if restricted(p, sources) {
		pod = "        runAsNonRoot: true\n"
		container = "            capabilities: {drop: [ALL]}\n"
	}
	kind := ""
	if local {
		kind = "  type: NodePort\n"
	}
	guess := ""
	if p.Listens == "" {
		guess = " # a guess: nothing in the sources says where it listens"
	}
	return fmt.Sprintf(deployment, text(p.Service), p.Port, probe, pod, container, guess) + "---\n" + fmt.Sprintf(service, text(p.Service), port, kind)
}

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: %[1]s
spec:
  selector:
    matchLabels: {app.kubernetes.io/name: %[1]s}
  template:
    metadata:
      labels: {app.kubernetes.io/name: %[1]s}
    spec:
      automountServiceAccountToken: false
      securityContext:
%[4]s        seccompProfile: {type: RuntimeDefault}
      containers:
        - name: %[1]s
          image: %[1]s
          env:
            - {name: PORT, value: "%[2]d"}
          ports:%[6]s
            - {name: http, containerPort: %[2]d}
          readinessProbe:
            %[3]s
            periodSeconds: 2
          resources:
            requests: {cpu: 20m, memory: 64Mi}
            limits: {memory: 256Mi}
          securityContext:
            allowPrivilegeEscalation: false
%[5]s`

const service = `apiVersion: v1
kind: Service
metadata:
  name: %[1]s
spec:
%[3]s  selector: {app.kubernetes.io/name: %[1]s}
  ports:
    - {name: http, port: %[2]d, targetPort: http}
`
