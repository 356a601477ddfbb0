// Package redact takes known secret values out of text.
package redact

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Mark stands where a secret was.
const Mark = "[redacted]"

const (
	// minValue is how short a value may be: what is shorter is found in
	// ordinary words, and is no secret.
	minValue = 6
	// minLine is how short a line of a value may be that has several, such as a
	// key in PEM: each is written as a line of the log.
	minLine = 16
)

// Redactor replaces secret values. It is safe for concurrent use; the zero
// Redactor, and nil, replace nothing.
type Redactor struct{ replacer *strings.Replacer }

// New returns a Redactor of values: as they are, in base64 (of both alphabets,
// also in the middle of something longer), in the forms of a URL, and in those
// of strings in JSON and Go. Of a URL with a password, the password counts too.
func New(values []string) *Redactor {
	forms := map[string]bool{}
	for _, v := range values {
		v = strings.TrimSpace(v)
		addForms(forms, v)
		if u, err := url.Parse(v); err == nil && u.User != nil {
			if password, ok := u.User.Password(); ok {
				addForms(forms, password)
			}
		}
		if strings.Contains(v, "\n") {
			for line := range strings.Lines(v) {
				if line = strings.TrimSpace(line); len(line) >= minLine {
					addForms(forms, line)
				}
			}
		}
	}
	if len(forms) == 0 {
		return &Redactor{}
	}
	// The longest first: what is inside of another goes with it.
	sorted := make([]string, 0, len(forms))
	for form := range forms {
		sorted = append(sorted, form)
	}
	slices.SortFunc(sorted, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	pairs := make([]string, 0, 2*len(sorted))
	for _, form := range sorted {
		pairs = append(pairs, form, Mark)
	}
	return &Redactor{strings.NewReplacer(pairs...)}
}

// Text returns a text without the secrets.
func (r *Redactor) Text(s string) string {
	if r == nil || r.replacer == nil {
		return s
	}
	return r.replacer.Replace(s)
}

func addForms(forms map[string]bool, v string) {
	if len(v) < minValue {
		return
	}
	forms[v] = true
	for _, escaped := range []string{url.QueryEscape(v), url.PathEscape(v)} {
		forms[escaped] = true
		forms[lowerEscapes(escaped)] = true
	}
	quoted := strconv.Quote(v)
	forms[quoted[1:len(quoted)-1]] = true
	if b, err := json.Marshal(v); err == nil {
		forms[string(b[1:len(b)-1])] = true // with < > & as \u003c
	}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for _, form := range insideBase64(encoding, v) {
			forms[form] = true
		}
	}
}

// lowerEscapes writes %2F as %2f.
func lowerEscapes(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], strings.ToLower(string(b[i+1:i+3])))
		}
	}
	return string(b)
}

// insideBase64 returns what is found wherever a value is encoded after 0, 1 or
// 2 bytes (mod 3) of something else: the characters that it alone decides.
func insideBase64(encoding *base64.Encoding, v string) []string {
	var forms []string
	for before := range 3 {
		encoded := encoding.EncodeToString([]byte(strings.Repeat("x", before) + v))
		from := (before*8 + 5) / 6 // the first character without a bit of what is before
		to := (before + len(v)) * 8 / 6
		if to-from >= minValue {
			forms = append(forms, encoded[from:to])
		}
	}
	return forms
}
