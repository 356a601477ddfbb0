package podconfig

import (
	"encoding/json"
	"testing"
)

func template(t *testing.T, spec string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(`{"spec":`+spec+`}`), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSettingsHashIsOfWhatIsRead(t *testing.T) {
	one := template(t, `{"containers":[{"env":[{"name":"A","valueFrom":{"configMapKeyRef":{"name":"settings","key":"SIZE"}}}]}]}`)
	all := template(t, `{"initContainers":[{"envFrom":[{"configMapRef":{"name":"settings"}}]}],"containers":[{}]}`)
	mounted := template(t, `{"containers":[{}],"volumes":[{"configMap":{"name":"settings","items":[{"key":"SIZE","path":"size"}]}}]}`)
	other := template(t, `{"containers":[{"envFrom":[{"configMapRef":{"name":"others"}},{"secretRef":{"name":"settings"}}]}]}`)
	before := map[string]string{"SIZE": "1", "COLOUR": "blue"}
	for _, test := range []struct {
		change    string
		after     map[string]string
		one, more bool // which of those who read one key, and all, see it
	}{
		{"nothing", map[string]string{"SIZE": "1", "COLOUR": "blue"}, false, false},
		{"a key that both read", map[string]string{"SIZE": "2", "COLOUR": "blue"}, true, true},
		{"another key", map[string]string{"SIZE": "1", "COLOUR": "red"}, false, true},
		{"a new key", map[string]string{"SIZE": "1", "COLOUR": "blue", "NEW": ""}, false, true},
		{"no such key", map[string]string{"COLOUR": "blue"}, true, true},
		{"an empty value", map[string]string{"SIZE": "", "COLOUR": "blue"}, true, true},
	} {
		for who, template := range map[string]map[string]any{"one": one, "mounted": mounted} {
			if got := SettingsHash(template, before) != SettingsHash(template, test.after); got != test.one {
				t.Errorf("%s: %s sees it: %v", test.change, who, got)
			}
		}
		if got := SettingsHash(all, before) != SettingsHash(all, test.after); got != test.more {
			t.Errorf("%s: all sees it: %v", test.change, got)
		}
	}
	if SettingsHash(one, nil) == SettingsHash(one, map[string]string{"SIZE": ""}) {
		t.Error("a key that is missing is one that is empty")
	}
	if got := SettingsHash(other, before); got != "" {
		t.Errorf("who reads none has the hash %q", got)
	}
}

func TestRevisionOf(t *testing.T) {
	for source, want := range map[string]int64{
		RevisionSource(12, "ada", "more lines"): 12, "config/dev.yaml": 0, "": 0, "revision 0 by ada: ": 0, "revision 9999999999999999999 by x: ": 0, "revision 1": 0,
	} {
		if got := RevisionOf(source); got != want {
			t.Errorf("%q: got %d, want %d", source, got, want)
		}
	}
}
