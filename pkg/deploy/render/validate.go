package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	serializer "k8s.io/apimachinery/pkg/runtime/serializer/json"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/overlay"
)

// schemeOf returns the Go types that manifests are checked against.
var schemeOf = sync.OnceValue(func() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		admissionv1.AddToScheme, appsv1.AddToScheme, autoscalingv1.AddToScheme, autoscalingv2.AddToScheme, batchv1.AddToScheme,
		corev1.AddToScheme, discoveryv1.AddToScheme, networkingv1.AddToScheme, nodev1.AddToScheme, policyv1.AddToScheme,
		rbacv1.AddToScheme, schedulingv1.AddToScheme, storagev1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			panic(err) // two types of one name: a fault of this list
		}
	}
	return scheme
})

// normalise turns what a YAML parser returns into what a JSON parser returns,
// which is what the Kubernetes libraries take.
func normalise(m map[string]any) (*unstructured.Unstructured, error) {
	data, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	object := &unstructured.Unstructured{}
	return object, object.UnmarshalJSON(data)
}

// validate reports every unknown field, wrong type and double name of the
// manifests. Kinds that are not Kubernetes' own are left to the server.
func validate(manifests []*unstructured.Unstructured, files []string) error {
	decoder := serializer.NewSerializerWithOptions(serializer.DefaultMetaFactory, schemeOf(), schemeOf(), serializer.SerializerOptions{Strict: true})
	seen := map[string]bool{}
	var problems []error
	for _, m := range manifests {
		if key := manifest.Key(m); seen[key] {
			problems = append(problems, fmt.Errorf("%s%s is there twice", overlay.Locate(files, m, ""), manifest.Name(m)))
		} else {
			seen[key] = true
		}
		if !schemeOf().Recognizes(m.GroupVersionKind()) {
			if gv := m.GroupVersionKind().GroupVersion(); complete(gv) {
				problems = append(problems, fmt.Errorf("%s%s: %s has no kind %s", overlay.Locate(files, m, "kind"), manifest.Name(m), gv, m.GetKind()))
			}
			continue
		}
		if manifest.Known[m.GroupVersionKind()].Stage == manifest.StageWorkload && len(manifest.Items(manifest.At(manifest.PodTemplate(m), "spec"), "containers")) == 0 {
			problems = append(problems, fmt.Errorf("%s%s has no containers", overlay.Locate(files, m, ""), manifest.Name(m)))
		}
		data, err := m.MarshalJSON()
		if err != nil {
			return fmt.Errorf("reading %s: %w", manifest.Name(m), err)
		}
		_, _, err = decoder.Decode(bytes.TrimSpace(data), nil, nil)
		if strict, ok := runtime.AsStrictDecodingError(err); ok {
			for _, e := range strict.Errors() {
				problems = append(problems, fmt.Errorf("%s%s: %w", overlay.Locate(files, m, overlay.Quoted(e.Error())), manifest.Name(m), e))
			}
		} else if err != nil {
			text := cleanDecode(err.Error())
			problems = append(problems, fmt.Errorf("%s%s: %s", overlay.Locate(files, m, overlay.Quoted(text)), manifest.Name(m), text))
		}
	}
	slices.SortStableFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(problems...)
}

// complete says whether all kinds of a version are known. In the groups without
// a domain no kind was added for years; a newer server may have more of others.
func complete(gv schema.GroupVersion) bool {
	return !strings.Contains(gv.Group, ".") && schemeOf().IsVersionRegistered(gv)
}

// cleanDecode drops the Go types from a message of the JSON decoder.
func cleanDecode(text string) string {
	text = strings.TrimPrefix(text, "json: ")
	if what, rest, ok := strings.Cut(text, " into Go struct field "); ok {
		field, want, _ := strings.Cut(rest, " of type ")
		if _, path, ok := strings.Cut(field, "."); ok {
			field = path
		}
		return fmt.Sprintf("field %q: %s, where %s is wanted", field, what, want)
	}
	return text
}
