package podconfig

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
)

// The names of the objects that hold what an environment is configured by.
const (
	SettingsName = "settings" // a ConfigMap: `settings` of the configuration
	SecretsName  = "secrets"  // a Secret: the file of secrets
)

// The annotations of what an environment is configured by.
const (
	// SettingsHashAnnotation, on a pod template, changes with the settings that the
	// pod reads, so that a change of them rolls it.
	SettingsHashAnnotation = "zr.dev/settings-hash"
	// SourceAnnotation, on the two objects, says where their content is from: a file
	// of the project, or what changed it since.
	SourceAnnotation = "zr.dev/source"
)

// SettingsHash returns the hash of the settings that the pods of a template read,
// and "" where they read none. The template is decoded JSON.
func SettingsHash(template map[string]any, settings map[string]string) string {
	read := map[string]any{}
	reads := false
	for _, ref := range References(template) {
		if ref.Kind != "ConfigMap" || ref.Name != SettingsName {
			continue
		}
		reads = true
		keys := ref.Keys
		if len(keys) == 0 {
			keys = slices.Collect(maps.Keys(settings))
		}
		for _, key := range keys {
			read[key] = nil // one that is not there is not the same as an empty one
			if value, there := settings[key]; there {
				read[key] = value
			}
		}
	}
	if !reads {
		return ""
	}
	data, err := json.Marshal(read) // keys are sorted
	if err != nil {
		panic(err) // they are strings
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

var revision = regexp.MustCompile(`^revision ([1-9][0-9]{0,17}) by `)

// RevisionSource is the SourceAnnotation of settings that were changed in the
// cluster, as the revision of a number.
func RevisionSource(number int64, author, reason string) string {
	return fmt.Sprintf("revision %d by %s: %s", number, author, reason)
}

// RevisionOf returns the number of the revision that a SourceAnnotation names, and 0
// where it names none.
func RevisionOf(source string) int64 {
	m := revision.FindStringSubmatch(source)
	if m == nil {
		return 0
	}
	number, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return 0
	}
	return number
}
