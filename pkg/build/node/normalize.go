package node

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// derived is a value that is a function of the inputs, where next would take a
// random one. Who has all the sources can compute it: a service that relies on
// draft mode or on encrypted arguments of server actions being secret from its
// own authors sets NEXT_SERVER_ACTIONS_ENCRYPTION_KEY at run time.
func derived(sum, purpose string) []byte {
	mac := hmac.New(sha256.New, []byte(sum))
	mac.Write([]byte(purpose))
	return mac.Sum(nil)
}

// actionsKey is the key of server actions: 32 bytes in base64.
func actionsKey(sum string) string {
	return base64.StdEncoding.EncodeToString(derived(sum, "server actions"))
}

// nanoid is the form of the build id that next makes up.
var nanoid = regexp.MustCompile(`^[A-Za-z0-9_-]{21}$`)

// normalize replaces, in the output of a build, what differs from one build of
// the same inputs to the next: the path of the work copy, the build id where
// the project gives none, and the keys of draft mode.
func normalize(source, out, sum string) error {
	dist := filepath.Join(source, ".next")
	pairs := []string{source, appDir}
	id, err := os.ReadFile(filepath.Join(dist, "BUILD_ID"))
	if err != nil {
		return fmt.Errorf("reading the output of next build: %w", err)
	}
	var renamed string
	if nanoid.Match(id) {
		renamed = base64.RawURLEncoding.EncodeToString(derived(sum, "build id"))[:len(id)]
		pairs = append(pairs, string(id), renamed)
	}
	keys, err := previewKeys(filepath.Join(dist, "prerender-manifest.json"))
	if err != nil {
		return err
	}
	for name, key := range keys {
		pairs = append(pairs, key, hex.EncodeToString(derived(sum, name))[:len(key)])
	}
	for _, dir := range []string{out, filepath.Join(dist, "static")} {
		if err := replaceAll(dir, strings.NewReplacer(pairs...), pairs); err != nil {
			return fmt.Errorf("normalising the output of next build: %w", err)
		}
	}
	if renamed == "" {
		return nil
	}
	return os.Rename(filepath.Join(dist, "static", string(id)), filepath.Join(dist, "static", renamed))
}

// previewKeys are the random values of draft mode, by name, as the output
// holds them: an id of 16 bytes and two keys of 32, in hex.
func previewKeys(file string) (map[string]string, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the output of next build: %w", err)
	}
	var manifest struct{ Preview map[string]string }
	if err := json.Unmarshal(raw, &manifest); err != nil {
		return nil, fmt.Errorf("reading the output of next build: %q: %w", file, err)
	}
	maps.DeleteFunc(manifest.Preview, func(_, key string) bool {
		raw, err := hex.DecodeString(key)
		return err != nil || len(raw) != 16 && len(raw) != 32
	})
	return manifest.Preview, nil
}

// replaceAll rewrites the files below dir that hold one of the old strings.
// Packages are not a part of the build's output and are left alone.
func replaceAll(dir string, r *strings.Replacer, pairs []string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "node_modules" && filepath.Dir(path) == dir {
			return fs.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i := 0; i < len(pairs); i += 2 {
			if bytes.Contains(content, []byte(pairs[i])) {
				info, err := d.Info()
				if err != nil {
					return err
				}
				return os.WriteFile(path, []byte(r.Replace(string(content))), info.Mode())
			}
		}
		return nil
	})
}
