package testkit

// Overlay has one workload and one Service that kind publishes.
const Overlay = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: tiny}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "example/web:1"}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: tiny}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: tiny}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 81, nodePort: 30081}]}
`

// Project returns the files of a project with this configuration and Overlay, by path.
func Project(config string) map[string]string {
	return map[string]string{
		"config/dev.yaml": config,
		"kustomize/overlays/dev/kustomization.yaml": "resources: [all.yaml]\n",
		"kustomize/overlays/dev/all.yaml":           Overlay,
	}
}
