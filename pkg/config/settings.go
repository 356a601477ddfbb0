package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"go.yaml.in/yaml/v3"

	"zr/pkg/bounded"
)

// settingKeyHint says what settingKey matches.
const settingKeyHint = "letters, digits, '-', '_' and '.'"

// ParseSettings reads the text that stands below `settings:` in a configuration, such
// as "LOG_LEVEL: debug", and checks it as Load does. Problems have lines and columns of
// the text, and name as their file.
func ParseSettings(text []byte, name string) (map[string]string, Problems) {
	docs, _, err := bounded.Documents(text)
	if much := (*bounded.Problem)(nil); errors.As(err, &much) {
		return nil, Problems{{File: name, Line: much.Line, Column: much.Column, Text: much.Text, Hint: much.Hint}}
	} else if err != nil {
		return nil, syntaxProblem(name, text, err)
	}
	settings := map[string]string{}
	if len(docs) == 0 || len(docs[0].Content) == 0 {
		return settings, nil
	}
	root := docs[0].Content[0]
	s := strict{file: name}
	if len(docs) > 1 && len(docs[1].Content) > 0 {
		s.add(docs[1].Content[0], "", "a second document, of which nothing would be read")
	}
	s.merge(root, map[*yaml.Node]bool{})
	s.check(root, reflect.TypeFor[map[string]string](), "settings")
	if err := root.Decode(&settings); err != nil && len(s.problems) == 0 {
		s.add(root, "", "%v", err)
	}
	if root.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(root.Content); i += 2 {
			if key := root.Content[i]; !settingKey.MatchString(key.Value) {
				s.add(key, settingKeyHint, "settings: %q cannot be a key of a ConfigMap", key.Value)
			}
		}
	}
	if settings == nil {
		settings = map[string]string{} // the text was "null"
	}
	return settings, s.problems
}

// WriteSettings returns the text that ParseSettings reads as these settings, sorted by
// key.
func WriteSettings(settings map[string]string) string {
	text := ""
	for _, key := range sortedKeys(settings) {
		text += scalar(key, nil) + ": " + scalar(settings[key], nil) + "\n"
	}
	return text
}

// SettingsSchema returns the JSON Schema of `settings`.
func SettingsSchema() (map[string]any, error) {
	var whole struct {
		Properties map[string]map[string]any `json:"properties"`
	}
	if err := json.Unmarshal(Schema, &whole); err != nil {
		return nil, fmt.Errorf("reading the schema of a configuration: %w", err)
	}
	return whole.Properties["settings"], nil
}
