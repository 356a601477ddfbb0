package probe

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// bodyLimit is how much of an answer is read, in bytes. A health page is
	// small; one that is not is no reason to hold it all.
	bodyLimit = 64 << 10
	// shownLimit is how much of a failing answer is quoted, in runes: what fits
	// into two lines of a terminal.
	shownLimit = 160
	// redirectLimit is how many redirects are followed, as by the kubelet.
	redirectLimit = 10
)

func (a *Asker) httpClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext: a.dial,
			// Every question is a new connection: a kept one could end at a
			// process that is draining.
			DisableKeepAlives: true,
			// The kubelet does not check the certificate of a probe either: it
			// is issued for a name, and a pod is asked by its address.
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		},
		CheckRedirect: followOnHost,
	}
}

// followOnHost goes where a redirect leads, as long as that is the host that was
// asked. One to elsewhere counts as an answer, as for the kubelet.
func followOnHost(next *http.Request, via []*http.Request) error {
	if next.URL.Hostname() != via[0].URL.Hostname() {
		return http.ErrUseLastResponse
	}
	if len(via) >= redirectLimit {
		return fmt.Errorf("it redirects more than %d times", redirectLimit)
	}
	return nil
}

// url is what is asked. It names the address of the pod, as the kubelet does:
// servers that check the Host header expect that of a probe.
func (a *Asker) url() *url.URL {
	where, err := url.Parse("/" + strings.TrimPrefix(a.probe.Path, "/"))
	if err != nil { // the kubelet takes such a path as it is
		where = &url.URL{Path: a.probe.Path}
	}
	where.Scheme, where.Host = "http", a.address()
	if a.probe.Scheme == "HTTPS" {
		where.Scheme = "https"
	}
	return where
}

func (a *Asker) askHTTP(ctx context.Context) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url().String(), nil)
	if err != nil {
		return Answer{}, err
	}
	req.Header.Set("User-Agent", UserAgent)
	req.Header.Set("Accept", "application/json, */*;q=0.5") // JSON may name the build
	maps.Copy(req.Header, a.probe.Headers)
	req.Host = a.probe.Headers.Get("Host") // of the address where it is empty
	res, err := a.client.Do(req)
	if err != nil {
		return Answer{}, bare(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, bodyLimit))
	if err != nil {
		return Answer{}, fmt.Errorf("%s: %w", res.Status, err)
	}
	var said struct {
		Build string `json:"build"`
	}
	_ = json.Unmarshal(body, &said) // a health page need not be JSON
	answer := Answer{Text: res.Status, Build: said.Build}
	if res.StatusCode >= 200 && res.StatusCode < 400 { // as the kubelet counts
		return answer, nil
	}
	if first := firstWords(body); first != "" {
		answer.Text += ": " + first
	}
	return answer, Unready(answer.Text)
}

// firstWords makes one printable line of the beginning of a body.
func firstWords(body []byte) string {
	line := strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, unicode.IsControl(r) && !unicode.IsSpace(r):
			return -1
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, string(bytes.TrimSpace(body)))
	line = strings.Join(strings.Fields(line), " ")
	if r := []rune(line); len(r) > shownLimit {
		return string(r[:shownLimit]) + "…"
	}
	return line
}
