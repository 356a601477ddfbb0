package redact

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// TestForms writes 200 secrets, with every kind of character, in each form and
// at every place of something longer.
func TestForms(t *testing.T) {
	const alphabet = `abcXYZ0189+/=_-.~!@#$%^&*(){}[]<>"'\ ` + "äß"
	random := rand.New(rand.NewPCG(1, 2))
	var secrets []string
	for i := range 200 {
		var b strings.Builder
		for range 10 + i%30 {
			runes := []rune(alphabet)
			b.WriteRune(runes[random.IntN(len(runes))])
		}
		secrets = append(secrets, "s"+b.String()+"e")
	}
	r := New(secrets)
	for _, s := range secrets {
		asJSON, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		forms := []string{s, url.QueryEscape(s), url.PathEscape(s), strings.ToLower(url.QueryEscape("//")) + lowerEscapes(url.QueryEscape(s)),
			string(asJSON), strconv.Quote(s)}
		for _, form := range forms {
			if got := r.Text("before " + form + " after"); strings.Contains(got, form) || !strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " after") || !strings.Contains(got, Mark) {
				t.Errorf("%q as %q: %q", s, form, got)
			}
		}
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding} {
			for before := range 4 {
				plain := strings.Repeat("u", before) + s + ":tail"
				got := r.Text("Basic " + encoding.EncodeToString([]byte(plain)))
				if !strings.Contains(got, Mark) {
					t.Errorf("%q in base64 after %d bytes: %q", s, before, got)
				}
				if decoded, err := encoding.DecodeString(strings.TrimPrefix(got, "Basic ")); err == nil {
					t.Errorf("%q can still be decoded: %q", s, decoded)
				}
			}
		}
	}
}

func TestValues(t *testing.T) {
	r := New([]string{"postgres://zr:s3cr3t-word@db:5432/zr", "short", "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\nsmall\n-----END KEY-----\n", ""})
	for in, want := range map[string]string{
		"password s3cr3t-word was refused":          "password " + Mark + " was refused",
		"dial postgres://zr:s3cr3t-word@db:5432/zr": "dial " + Mark,
		"MIIEvQIBADANBgkqhkiG9w0BAQ":                Mark,
		"a short word, a small one":                 "a short word, a small one",
	} {
		if got := r.Text(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got := (&Redactor{}).Text("x"); got != "x" {
		t.Errorf("got %q", got)
	}
}

func BenchmarkText(b *testing.B) {
	var secrets []string
	for i := range 200 {
		secrets = append(secrets, fmt.Sprintf("secret-%d-%x", i, i*7919))
	}
	r := New(secrets)
	line := strings.Repeat("time=2026-01-02T15:04:05Z level=INFO msg=request path=/api/v1/services ", 2)
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		r.Text(line)
	}
}
