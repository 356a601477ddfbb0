package deploy

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"zr/pkg/deploy/manifest"
	"zr/pkg/deploy/overlay"
	"zr/pkg/deploy/render"
	"zr/pkg/fault"
)

// refusal is the server's verdict on one object, as opposed to a request that
// did not get through.
type refusal struct{ error }

func (r *refusal) Unwrap() error { return r.error }

// refused turns what the server said about an object into a fault that names
// the object, the place of its manifest and what to do. It returns nil for
// nil, and for admission that cannot take part in a dry run.
func (d *Deployer) refused(r *render.Rendered, o *render.Object, err error) error {
	if err == nil || noDryRun(err) {
		return nil
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return fmt.Errorf("%s: %w", manifest.Name(o.Unstructured), err) // the server did not get to see it
	}
	return &refusal{d.verdict(r, o, err, status)}
}

// noDryRun says whether an admission webhook has side effects, so that the
// server does not ask it in a dry run and refuses the whole request.
func noDryRun(err error) bool {
	return err != nil && strings.Contains(err.Error(), "does not support dry run")
}

func (d *Deployer) verdict(r *render.Rendered, o *render.Object, err error, status apierrors.APIStatus) error {
	if conflicts := conflictsOf(err); len(conflicts) > 0 {
		return conflictFault(o.Unstructured, conflicts)
	}
	where := overlay.Locate(r.Files(), o.Unstructured, "")
	out := fmt.Errorf("%s%s: %s", where, manifest.Name(o.Unstructured), hideSecrets(reason(err, status), r.Hidden))
	if hint, code := d.advice(o, err); code != 0 {
		return fault.WithCode(out, code, hint)
	}
	return out
}

// advice is what to do about a refusal, and the exit code. There are no codes for
// most of them, only words of the server's.
func (d *Deployer) advice(o *render.Object, err error) (string, int) {
	ns, text := o.GetNamespace(), err.Error()
	said := func(words string) bool { return strings.Contains(text, words) }
	switch {
	case unchangeable(err) && o.GetKind() == "StatefulSet":
		return "a StatefulSet cannot change this; delete it without its pods and data, then run again: " +
			d.Lines.Kubectl("-n", ns, "delete", "statefulset", o.GetName(), "--cascade=orphan"), fault.Failed
	case unchangeable(err) && o.GetKind() == "Service":
		return "a Service keeps this for as long as it exists; it holds no data, so delete it, then run again: " +
			d.Lines.Kubectl("-n", ns, "delete", "service", o.GetName()), fault.Failed
	case unchangeable(err) && (o.GetKind() == "ConfigMap" || o.GetKind() == "Secret"):
		return "it is immutable, and nodes whose pods have it do not read it again: give it another name, as a generator of kustomize does by its content", fault.Usage
	case unchangeable(err):
		return "this field cannot change, and replacing the object may lose data: undo the change, or delete the object yourself", fault.Failed
	case portTaken(err):
		return d.Lines.Kubectl("get", "services", "-A") + " shows which Service has the port: take another one, or delete that Service", fault.Usage
	case said("exceeded quota"):
		return "the namespace's ResourceQuota is used up: ask for less in the manifest, or for more quota", fault.Failed
	case said("usage per "), said("max limit to request ratio per "): // plugin/pkg/admission/limitranger of Kubernetes
		return "a LimitRange of the namespace sets these bounds: keep to them in the manifest, or change it; " + d.Lines.Kubectl("-n", ns, "describe", "limitrange"), fault.Failed
	case said("failed calling webhook"):
		return "an admission webhook of the cluster does not answer: what serves it has to run first, or the webhook has to go; " +
			d.Lines.Kubectl("get", "validatingwebhookconfigurations,mutatingwebhookconfigurations"), fault.Failed
	case said("admission webhook "), said("ValidatingAdmissionPolicy "):
		return "a rule of the cluster's forbids this, and the message is its own: change the manifest as it says", fault.Failed
	case apierrors.IsForbidden(err):
		return cmp.Or(d.granted(err), "the user of the kubeconfig lacks a right on the cluster, or an admission policy forbids the object"), fault.Failed
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		return "", fault.Usage
	}
	return "", 0
}

// reason returns the words of the server, without what names the object again.
func reason(err error, status apierrors.APIStatus) string {
	if details := status.Status().Details; details != nil && len(details.Causes) > 0 {
		var parts []string
		for _, cause := range details.Causes {
			text := cause.Message
			if cause.Field != "" && !strings.Contains(text, cause.Field) {
				text = cause.Field + ": " + text
			}
			parts = append(parts, text)
		}
		return strings.Join(parts, "; ")
	}
	text := err.Error()
	// failed to create typed patch object (ns/name; apps/v1, Kind=Deployment): .spec.x: field not declared in schema
	if _, cause, ok := strings.Cut(text, "failed to create typed patch object ("); ok {
		if _, cause, ok = strings.Cut(cause, "): "); ok {
			return cause
		}
	}
	return text
}
