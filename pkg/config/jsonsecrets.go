package config

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// parseJSON reads an object of texts, numbers and truth values, which are texts as they
// stand. Problems never show a value.
func parseJSON(data []byte, name string) (map[string]string, Problems) {
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(data, &entries); err != nil {
		return nil, Problems{{File: name, Text: "what is in it is no table of keys and values"}}
	}
	values := map[string]string{}
	var problems Problems
	for _, key := range sortedKeys(entries) {
		raw := bytes.TrimSpace(entries[key])
		var text string
		switch {
		case !secretKey.MatchString(key):
			problems = append(problems, Problem{File: name, Text: fmt.Sprintf("%q cannot be a key", key), Hint: "letters, digits and '_'"})
			continue
		case raw[0] == '{' || raw[0] == '[' || string(raw) == "null":
			problems = append(problems, Problem{File: name, Text: fmt.Sprintf("the value of %q is no text", key), Hint: "a secret is one line of the file, such as KEY: value"})
			continue
		case json.Unmarshal(raw, &text) != nil:
			text = string(raw)
		}
		values[key] = text
	}
	return values, problems
}
