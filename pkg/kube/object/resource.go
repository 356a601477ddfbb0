package object

import (
	"encoding/json"
	"fmt"
)

// Resource is a kind of objects as the API serves it.
type Resource struct {
	// Path is that of the API group's version: "api/v1", "apis/apps/v1".
	Path string
	// Name is the last part of the path: "pods".
	Name string

	one  func([]byte) (Object, error)
	list func(*json.Decoder) ([]Object, string, error)
}

// The resources that are read.
var (
	Namespaces     = resource[Namespace]("api/v1", "namespaces", "")
	Pods           = resource[Pod]("api/v1", "pods", "")
	Services       = resource[Service]("api/v1", "services", "")
	Events         = resource[Event]("api/v1", "events", "")
	EndpointSlices = resource[EndpointSlice]("apis/discovery.k8s.io/v1", "endpointslices", "")
	Deployments    = resource[Workload]("apis/apps/v1", "deployments", Deployment)
	StatefulSets   = resource[Workload]("apis/apps/v1", "statefulsets", StatefulSet)
	DaemonSets     = resource[Workload]("apis/apps/v1", "daemonsets", DaemonSet)
	ReplicaSets    = resource[Workload]("apis/apps/v1", "replicasets", ReplicaSet)
	Revisions      = resource[ControllerRevision]("apis/apps/v1", "controllerrevisions", "")
	Jobs           = resource[Workload]("apis/batch/v1", "jobs", Job)
	ConfigMaps     = resource[ConfigMap]("api/v1", "configmaps", "")
	Secrets        = resource[Secret]("api/v1", "secrets", "")
	RoleBindings   = resource[RoleBinding]("apis/rbac.authorization.k8s.io/v1", "rolebindings", "")
)

// pointer is a *T that is an Object.
type pointer[T any] interface {
	*T
	Object
}

func resource[T any, P pointer[T]](path, name, kind string) Resource {
	complete := func(o Object) Object {
		if w, ok := o.(*Workload); ok {
			w.Kind = kind // the items of a list come without theirs
		}
		return o
	}
	return Resource{
		Path: path, Name: name,
		one: func(raw []byte) (Object, error) {
			o := P(new(T))
			if err := json.Unmarshal(raw, o); err != nil {
				return nil, err
			}
			return complete(o), nil
		},
		list: func(in *json.Decoder) ([]Object, string, error) {
			var page struct {
				Metadata struct {
					ResourceVersion string `json:"resourceVersion"`
				} `json:"metadata"`
				Items []P `json:"items"`
			}
			if err := in.Decode(&page); err != nil {
				return nil, "", err
			}
			objects := make([]Object, len(page.Items))
			for i, o := range page.Items {
				objects[i] = complete(o)
			}
			return objects, page.Metadata.ResourceVersion, nil
		},
	}
}

// Decode reads one object of the resource.
func (r Resource) Decode(raw []byte) (Object, error) {
	o, err := r.one(raw)
	if err != nil {
		return nil, fmt.Errorf("decoding one of %s: %w", r.Name, err)
	}
	return o, nil
}

// DecodeList reads a list of objects, and the version that it is of.
func (r Resource) DecodeList(in *json.Decoder) (objects []Object, version string, err error) {
	if objects, version, err = r.list(in); err != nil {
		return nil, "", fmt.Errorf("decoding the list of %s: %w", r.Name, err)
	}
	return objects, version, nil
}
