package logline

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// decoded is fieldsOf by the decoder of the library, and false for what it takes and
// fieldsOf does not: more than one object.
func decoded(text string) (fields []jsonField, ok bool) {
	if !json.Valid([]byte(text)) {
		return nil, false
	}
	d := json.NewDecoder(strings.NewReader(text))
	_, _ = d.Token()
	for d.More() {
		key, _ := d.Token()
		var value json.RawMessage
		_ = d.Decode(&value)
		fields = append(fields, jsonField{key.(string), string(value)})
	}
	return fields, true
}

func FuzzFieldsOf(f *testing.F) {
	for _, text := range []string{`{}`, `{ }`, `{"a":1}`, `{"a" : "b\"c" , "d":[1,{"e":"}"}],"f":null}`, `{"a":1} {"b":2}`, `{"a":1,}`, `{,}`, `{"a"}`, `{"a":}`, `{"a":tru}`,
		`{"a":01}`, `{"a":"\x"}`, `{"a":"\u00e4"}`, `{"a":{}`, `{"a":[1,]}`, "{\"a\":\"\t\"}", `{"a":1 2}`, `{"a":-1.5e3,"b":true}`, `{"a":"}`, `{"\ud800":"\\"}`, `{"a":[}]}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text, _ = clean(text)
		text = strings.TrimSpace(text)
		if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
			return
		}
		got, ok := fieldsOf(text)
		want, wantOK := decoded(text)
		if ok != wantOK || ok && !slices.Equal(got, want) {
			t.Errorf("%q: got %q, %v, want %q, %v", text, got, ok, want, wantOK)
		}
	})
}
