package render

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"zr/pkg/agentspec"
	"zr/pkg/deploy/manifest"
	"zr/pkg/fault"
	"zr/pkg/probe"
)

// What a container gets in dev mode, where the manifest's own is less.
const (
	// devCPU lets a compiler or dev server in the container use the cores of
	// a laptop; a release's limit would throttle it on every save.
	devCPU = "4"
	// devProbeTimeout, in seconds: the first answer of a dev server may wait
	// for the page's compilation, and that of the agent for the end of a swap.
	devProbeTimeout = 10

	devVolume       = "zr-dev"
	devSecretSuffix = "-dev"
)

// DevSecret is the name of the Secret that dev mode adds for a service.
func DevSecret(service string) string { return service + devSecretSuffix }

// devMode turns workloads into those that run a dev image. It returns the
// container of each that does, too.
func devMode(manifests []*unstructured.Unstructured, dev map[string]DevService) (all []*unstructured.Unstructured, inDev map[*unstructured.Unstructured]devContainer, err error) {
	inDev = map[*unstructured.Unstructured]devContainer{}
	for _, service := range slices.Sorted(maps.Keys(dev)) {
		workload := find(manifests, service)
		if workload == nil {
			return nil, nil, fmt.Errorf("no Deployment or StatefulSet is named %q", service)
		}
		container := containerOf(manifest.PodTemplate(workload), service)
		if container == nil {
			return nil, nil, fault.Hint(fmt.Errorf("%s: no container has the image %q", manifest.Name(workload), service),
				"zr replaces the image that is named like the service")
		}
		asked, err := devContainerMode(container, dev[service])
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", manifest.Name(workload), err)
		}
		inDev[workload] = devContainer{manifest.Text(container, "name"), asked}
		devPodMode(workload, container, dev[service])
		if secrets := dev[service].Secrets; len(secrets) > 0 {
			manifests = append(manifests, secretObject(DevSecret(service), workload.GetNamespace(), secrets, ""))
			for _, key := range slices.Sorted(maps.Keys(secrets)) {
				setEnv(container, map[string]any{"name": key, "valueFrom": map[string]any{
					"secretKeyRef": map[string]any{"name": DevSecret(service), "key": key}}})
			}
		}
		manifests = slices.DeleteFunc(manifests, func(m *unstructured.Unstructured) bool { return scales(m, workload) })
	}
	return manifests, inDev, nil
}

func find(manifests []*unstructured.Unstructured, service string) *unstructured.Unstructured {
	for _, m := range manifests {
		if m.GetName() == service && (m.GetKind() == "Deployment" || m.GetKind() == "StatefulSet") {
			return m
		}
	}
	return nil
}

// devContainer is the container of a workload that runs a dev image, with the
// probe that its agent asks: the kubelet asks the agent.
type devContainer struct {
	name  string
	probe probe.Probe
}

// containerOf finds the container that has the service's image: the one named
// like it where several do.
func containerOf(template map[string]any, service string) (found map[string]any) {
	for _, container := range manifest.Items(manifest.At(template, "spec"), "containers") {
		if manifest.Untagged(manifest.Text(container, "image")) == service && (found == nil || manifest.Text(container, "name") == service) {
			found = container
		}
	}
	return found
}

// devContainerMode leaves start, supervision and restart to the agent that the
// dev image starts, and tells it what the manifest says of the process. It
// returns the probe that the agent asks.
func devContainerMode(container map[string]any, service DevService) (probe.Probe, error) {
	service.move(container)
	// A failed probe would restart the container while its author reads the
	// compiler's message.
	delete(container, "livenessProbe")
	delete(container, "startupProbe")
	if container["readinessProbe"] == nil && service.Served > 0 {
		container["readinessProbe"] = map[string]any{"tcpSocket": map[string]any{"port": int64(service.Served)}}
	}
	devProbe(manifest.At(container, "readinessProbe"), service.Slow)
	limits := manifest.At(container, "resources", "limits")
	if err := raise(limits, "cpu", devCPU); err != nil {
		return probe.Probe{}, err
	}
	if service.Memory != "" {
		if err := raise(limits, "memory", service.Memory); err != nil {
			return probe.Probe{}, err
		}
	}
	tellProcess(container, service)
	return tellProbe(container)
}

// devProbe has the process asked often, since somebody waits for the answer. A
// command is left at its own pace: it costs more than a question.
func devProbe(probe map[string]any, slow bool) {
	if probe == nil {
		return
	}
	delete(probe, "initialDelaySeconds")
	if probe["exec"] == nil {
		probe["periodSeconds"] = int64(1)
	}
	if seconds, _ := probe["timeoutSeconds"].(int64); slow && seconds < devProbeTimeout {
		probe["timeoutSeconds"] = int64(devProbeTimeout)
	}
}

// tellProcess hands over what the manifest says of the process: its command line
// as arguments of the agent, so that the kubelet fills in variables as it does
// for the process itself.
func tellProcess(container map[string]any, service DevService) {
	command, _ := container["command"].([]any)
	args, _ := container["args"].([]any)
	delete(container, "command")
	switch {
	case len(command) > 0:
		container["args"] = append(append([]any{agentspec.ArgsReplace}, command...), args...)
	case len(args) > 0:
		container["args"] = append([]any{agentspec.ArgsAppend}, args...)
	}
	// A folder that is not there yet would be made by the container's runtime,
	// for root alone.
	if dir := manifest.Text(container, "workingDir"); dir != "" {
		setEnv(container, map[string]any{"name": agentspec.EnvDir, "value": literal(dir)})
		if isBelow(dir, service.WritableDir) {
			delete(container, "workingDir")
		}
	}
}

// tellProbe hands over the readiness probe, and has the kubelet ask the agent,
// whose verdict counts at once.
func tellProbe(container map[string]any) (probe.Probe, error) {
	asked, err := readiness(container)
	if err != nil || asked.Kind == "" {
		return asked, err
	}
	data, err := json.Marshal(asked)
	if err != nil {
		return asked, err
	}
	setEnv(container, map[string]any{"name": agentspec.EnvProbe, "value": literal(string(data))})
	setEnv(container, map[string]any{"name": agentspec.EnvHost, "valueFrom": map[string]any{
		"fieldRef": map[string]any{"fieldPath": "status.podIP"}}})
	setEnv(container, map[string]any{"name": agentspec.EnvReadyPort, "value": strconv.Itoa(agentspec.ReadyPort)})
	container["readinessProbe"] = map[string]any{
		"httpGet":       map[string]any{"path": agentspec.ReadyPath, "port": int64(agentspec.ReadyPort)},
		"periodSeconds": int64(1), "timeoutSeconds": int64(devProbeTimeout), "failureThreshold": int64(1),
	}
	return asked, nil
}

// literal escapes what the kubelet would fill in as a variable.
func literal(value string) string { return strings.ReplaceAll(value, "$", "$$") }

// readiness returns the readiness probe of a container.
func readiness(c map[string]any) (probe.Probe, error) {
	var typed corev1.Container
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(c, &typed); err != nil {
		return probe.Probe{}, err
	}
	return container(typed, "").Readiness, nil
}

// setEnv adds a variable, in place of one of the same name.
func setEnv(container, variable map[string]any) {
	env, _ := container["env"].([]any)
	env = slices.DeleteFunc(env, func(e any) bool {
		entry, _ := e.(map[string]any)
		return manifest.Text(entry, "name") == manifest.Text(variable, "name")
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
	template := manifest.PodTemplate(workload)
	manifest.Need(template, "metadata", "labels")[DevLabel] = "true"
	manifest.Need(workload.Object, "spec")["replicas"] = int64(1)
	// Recreate itself cannot be switched to by an apply: the server refuses it
	// beside the parameters for rolling that it filled in by itself.
	if strategy := manifest.At(workload.Object, "spec", "strategy"); workload.GetKind() == "Deployment" && manifest.Text(strategy, "type") != "Recreate" {
		manifest.Need(workload.Object, "spec", "strategy")["rollingUpdate"] = map[string]any{"maxSurge": int64(0), "maxUnavailable": int64(1)}
	}
	if service.WritableDir == "" {
		return
	}
	spec := manifest.Need(template, "spec")
	service.moveMounts(container, manifest.Items(spec, "volumes"))
	volumes, _ := spec["volumes"].([]any)
	spec["volumes"] = append(volumes, map[string]any{"name": devVolume, "emptyDir": map[string]any{}})
	mounts, _ := container["volumeMounts"].([]any)
	mounts = slices.DeleteFunc(mounts, func(m any) bool {
		mount, _ := m.(map[string]any)
		path := manifest.Text(mount, "mountPath")
		return path == service.WritableDir || path == agentspec.VolumeDir
	})
	container["volumeMounts"] = append(mounts,
		map[string]any{"name": devVolume, "mountPath": service.WritableDir, "subPath": agentspec.FilesDir},
		map[string]any{"name": devVolume, "mountPath": agentspec.VolumeDir})
}
