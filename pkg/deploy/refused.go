package deploy

import (
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"zr/pkg/fault"
)

// refusal is the server's verdict on one object, as opposed to a request that
// did not get through.
type refusal struct{ error }

func (r *refusal) Unwrap() error { return r.error }

// refused turns what the server said about an object into a fault that names
// the object, the place of its manifest and what to do. It returns nil for
// nil, and for admission that cannot take part in a dry run.
func (r *Rendered) refused(o *object, err error) error {
	if err == nil || noDryRun(err) {
		return nil
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return fmt.Errorf("%s: %w", name(o.Unstructured), err) // the server did not get to see it
	}
	return &refusal{r.verdict(o, err, status)}
}

// noDryRun says whether an admission webhook has side effects, so that the
// server does not ask it in a dry run and refuses the whole request.
func noDryRun(err error) bool {
	return err != nil && strings.Contains(err.Error(), "does not support dry run")
}

func (r *Rendered) verdict(o *object, err error, status apierrors.APIStatus) error {
	if conflicts := conflictsOf(err); len(conflicts) > 0 {
		return conflictFault(o.Unstructured, conflicts)
	}
	where := locate(r.files, o.Unstructured, "")
	out := fmt.Errorf("%s%s: %s", where, name(o.Unstructured), hideSecrets(reason(err, status), r.secrets))
	switch {
	case unchangeable(err) && o.GetKind() == "StatefulSet":
		return fault.Hint(out, fmt.Sprintf("a StatefulSet cannot change this; delete it without its pods and data, then run again: "+
			"kubectl delete statefulset %s -n %s --cascade=orphan", o.GetName(), o.GetNamespace()))
	case unchangeable(err):
		return fault.Hint(out, "this field cannot change, and replacing the object may lose data: undo the change, or delete the object yourself")
	case portTaken(err):
		return fault.WithCode(out, fault.Usage, "kubectl get services -A shows which Service has the port: take another one, or delete that Service")
	case strings.Contains(err.Error(), "exceeded quota"):
		return fault.Hint(out, "the namespace's ResourceQuota is used up: ask for less in the manifest, or for more quota")
	case apierrors.IsForbidden(err):
		return fault.Hint(out, "the user of the kubeconfig lacks a right on the cluster, or an admission policy forbids the object")
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		return fault.WithCode(out, fault.Usage, "")
	}
	return out
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
