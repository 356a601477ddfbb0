package fleet

import (
	"maps"
	"regexp"
	"slices"
	"time"

	"zr/pkg/kube/object"
	"zr/pkg/podconfig"
)

// Variable is one of the environment of a container.
type Variable struct {
	Name  string  `json:"name" doc:"Empty for all keys of an object that the api may not read."`
	Value *string `json:"value,omitempty" doc:"Left out where it is a secret, looks like one, or is not known to the api."`
	From  string  `json:"from,omitempty" doc:"Where it is from, if not from the manifest: \"ConfigMap/settings\", \"Secret/secrets\", \"field status.podIP\"."`
	Key   string  `json:"key,omitempty" doc:"Of that object."`
	// Secret says that its value is withheld.
	Secret bool `json:"secret,omitempty" doc:"Its value is a secret, or its name says so, and is withheld."`
}

// secretName is in the names of variables that have secrets, also where the manifest has
// the value itself. userinfo is a password in a URL.
var (
	secretName = regexp.MustCompile(`(?i)(PASSW|SECRET|TOKEN|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY|LOGIN_?KEY|_KEY$|_PAT$|DSN$)`)
	userinfo   = regexp.MustCompile(`://[^/@\s]*:[^/@\s]*@`)
)

// variables are those of a container, with the values of settings.
func (r *Reader) variables(c object.Container, settings map[string]string) []Variable {
	all := []Variable{}
	for _, from := range c.EnvFrom {
		switch {
		case from.SecretRef != nil:
			all = append(all, Variable{From: "Secret/" + from.SecretRef.Name, Secret: true})
		case from.ConfigMapRef != nil && from.ConfigMapRef.Name == podconfig.SettingsName && settings != nil:
			for _, key := range slices.Sorted(maps.Keys(settings)) {
				all = append(all, r.withValue(Variable{Name: from.Prefix + key, From: "ConfigMap/" + podconfig.SettingsName, Key: key}, settings[key]))
			}
		case from.ConfigMapRef != nil:
			all = append(all, Variable{From: "ConfigMap/" + from.ConfigMapRef.Name})
		}
	}
	for _, e := range c.Env {
		v := Variable{Name: e.Name}
		switch from := e.ValueFrom; {
		case from == nil:
			v = r.withValue(v, e.Value)
		case from.SecretKeyRef != nil:
			v.From, v.Key, v.Secret = "Secret/"+from.SecretKeyRef.Name, from.SecretKeyRef.Key, true
		case from.ConfigMapKeyRef != nil:
			v.From, v.Key = "ConfigMap/"+from.ConfigMapKeyRef.Name, from.ConfigMapKeyRef.Key
			if value, known := settings[v.Key]; known && from.ConfigMapKeyRef.Name == podconfig.SettingsName {
				v = r.withValue(v, value)
			}
		case from.FieldRef != nil:
			v.From = "field " + from.FieldRef.FieldPath
		case from.ResourceFieldRef != nil:
			v.From = "resource " + from.ResourceFieldRef.Resource
		}
		all = append(all, v)
	}
	return all
}

// withValue gives a variable its value, unless that is a secret by its name or by its form.
func (r *Reader) withValue(v Variable, value string) Variable {
	if secretName.MatchString(v.Name) && value != "" {
		v.Secret = true
		return v
	}
	value = userinfo.ReplaceAllString(r.secrets.Text(value), "://[redacted]@")
	v.Value = &value
	return v
}

// questions are those that the kubelet asks a container.
func (r *Reader) questions(c object.Container) []Question {
	all := []Question{}
	for _, of := range []struct {
		name  string
		probe *object.Probe
	}{{"startup", c.StartupProbe}, {"readiness", c.ReadinessProbe}, {"liveness", c.LivenessProbe}} {
		if of.probe == nil {
			continue
		}
		q := c.Question(of.probe)
		all = append(all, Question{Of: of.name, Kind: q.Kind, Asks: r.secrets.Text(q.String()), Every: int(q.Period / time.Second), Limit: int(q.Timeout / time.Second), Fails: q.Failures})
	}
	return all
}
