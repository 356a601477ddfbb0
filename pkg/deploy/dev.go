package deploy

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"zr/pkg/fault"
)

// What a container gets in dev mode, where the manifest's own is less.
const (
	// devCPU lets a compiler or dev server in the container use the cores of
	// a laptop; a release's limit would throttle it on every save.
	devCPU = "4"
	// devProbeTimeout, in seconds: the first answer of a dev server may wait
	// for the page's compilation.
	devProbeTimeout = 10

	devVolume       = "zr-dev"
	devFiles        = "files" // the folder of the volume that the agent keeps the files in
	devSecretSuffix = "-dev"
)

// devMode turns workloads into those that run a dev image.
func devMode(manifests []*unstructured.Unstructured, dev map[string]DevService) ([]*unstructured.Unstructured, error) {
	for _, service := range slices.Sorted(maps.Keys(dev)) {
		workload := find(manifests, service)
		if workload == nil {
			return nil, fmt.Errorf("no Deployment or StatefulSet is named %q", service)
		}
		container := devContainer(podTemplate(workload), service)
		if container == nil {
			return nil, fault.Hint(fmt.Errorf("%s: no container has the image %q", name(workload), service),
				"zr replaces the image that is named like the service")
		}
		if err := devContainerMode(container, dev[service]); err != nil {
			return nil, fmt.Errorf("%s: %w", name(workload), err)
		}
		devPodMode(workload, container, dev[service])
		if secrets := dev[service].Secrets; len(secrets) > 0 {
			manifests = append(manifests, secretObject(service+devSecretSuffix, workload.GetNamespace(), secrets))
			for _, key := range slices.Sorted(maps.Keys(secrets)) {
				setEnv(container, map[string]any{"name": key, "valueFrom": map[string]any{
					"secretKeyRef": map[string]any{"name": service + devSecretSuffix, "key": key}}})
			}
		}
		manifests = slices.DeleteFunc(manifests, func(m *unstructured.Unstructured) bool { return scales(m, workload) })
	}
	return manifests, nil
}

func find(manifests []*unstructured.Unstructured, service string) *unstructured.Unstructured {
	for _, m := range manifests {
		if m.GetName() == service && (m.GetKind() == "Deployment" || m.GetKind() == "StatefulSet") {
			return m
		}
	}
	return nil
}

func devContainer(template map[string]any, service string) map[string]any {
	for _, container := range items(at(template, "spec"), "containers") {
		if untagged(text(container, "image")) == service {
			return container
		}
	}
	return nil
}

// devContainerMode leaves start, supervision and restart to the agent that the
// dev image starts.
func devContainerMode(container map[string]any, service DevService) error {
	delete(container, "command")
	delete(container, "args")
	// A failed probe would restart the container while its author reads the
	// compiler's message.
	delete(container, "livenessProbe")
	delete(container, "startupProbe")
	if probe := at(container, "readinessProbe"); probe != nil {
		delete(probe, "initialDelaySeconds")
		probe["periodSeconds"] = int64(1)
		if seconds, _ := probe["timeoutSeconds"].(int64); seconds < devProbeTimeout {
			probe["timeoutSeconds"] = int64(devProbeTimeout)
		}
	}
	limits := at(container, "resources", "limits")
	if err := raise(limits, "cpu", devCPU); err != nil {
		return err
	}
	if service.Memory != "" {
		if err := raise(limits, "memory", service.Memory); err != nil {
			return err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(service.Env)) {
		setEnv(container, map[string]any{"name": key, "value": service.Env[key]})
	}
	return nil
}

// setEnv adds a variable, in place of one of the same name.
func setEnv(container, variable map[string]any) {
	env, _ := container["env"].([]any)
	env = slices.DeleteFunc(env, func(e any) bool {
		entry, _ := e.(map[string]any)
		return text(entry, "name") == text(variable, "name")
	})
	container["env"] = append(env, variable)
}

// raise sets a limit where there is a lower one. No limit stays no limit.
func raise(limits map[string]any, name, to string) error {
	want, err := resource.ParseQuantity(to)
	if err != nil {
		return fmt.Errorf("%s limit %q: %w", name, to, err)
	}
	if limits[name] == nil {
		return nil
	}
	have, err := resource.ParseQuantity(fmt.Sprint(limits[name]))
	if err != nil {
		return fmt.Errorf("%s limit %q: %w", name, limits[name], err)
	}
	if have.Cmp(want) < 0 {
		limits[name] = to
	}
	return nil
}

// devPodMode makes it one pod at a time: saves go to the pod that runs, and a
// second one beside it would answer with older code and take as much memory
// again.
func devPodMode(workload *unstructured.Unstructured, container map[string]any, service DevService) {
	template := podTemplate(workload)
	need(template, "metadata", "labels")[DevLabel] = "true"
	need(workload.Object, "spec")["replicas"] = int64(1)
	// Recreate itself cannot be switched to by an apply: the server refuses it
	// beside the parameters for rolling that it filled in by itself.
	if strategy := at(workload.Object, "spec", "strategy"); workload.GetKind() == "Deployment" && text(strategy, "type") != "Recreate" {
		need(workload.Object, "spec", "strategy")["rollingUpdate"] = map[string]any{"maxSurge": int64(0), "maxUnavailable": int64(1)}
	}
	if service.WritableDir == "" {
		return
	}
	spec := need(template, "spec")
	volumes, _ := spec["volumes"].([]any)
	spec["volumes"] = append(volumes, map[string]any{"name": devVolume, "emptyDir": map[string]any{}})
	mounts, _ := container["volumeMounts"].([]any)
	mounts = slices.DeleteFunc(mounts, func(m any) bool {
		mount, _ := m.(map[string]any)
		path := text(mount, "mountPath")
		return path == service.WritableDir || path == service.VolumeDir
	})
	container["volumeMounts"] = append(mounts,
		map[string]any{"name": devVolume, "mountPath": service.WritableDir, "subPath": devFiles},
		map[string]any{"name": devVolume, "mountPath": service.VolumeDir})
}
