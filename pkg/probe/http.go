package probe

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

const (
	// bodyLimit is how much of an answer is looked at.
	bodyLimit = 64 << 10
	// redirectLimit is how many redirects are followed, as by the kubelet.
	redirectLimit = 10
)

func httpClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
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
// asked. One to elsewhere counts as an answer.
func followOnHost(next *http.Request, via []*http.Request) error {
	if next.URL.Hostname() != via[0].URL.Hostname() {
		return http.ErrUseLastResponse
	}
	if len(via) >= redirectLimit {
		return fmt.Errorf("it redirected %d times", redirectLimit)
	}
	return nil
}

func (a *Asker) askHTTP(ctx context.Context) (build string, err error) {
	where, err := url.Parse("/" + strings.TrimPrefix(a.probe.Path, "/"))
	if err != nil { // the kubelet takes such a path as it is
		where = &url.URL{Path: a.probe.Path}
	}
	where.Scheme, where.Host = "http", a.address()
	if a.probe.Scheme == "HTTPS" {
		where.Scheme = "https"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where.String(), nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("User-Agent", UserAgent)
	req.Header.Set("Accept", "*/*")
	maps.Copy(req.Header, a.probe.Headers)
	req.Host = a.probe.Headers.Get("Host") // of the address where it is empty
	res, err := a.client.Do(req)
	if err != nil {
		var wrapped *url.Error // repeats the address
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return "", fmt.Errorf("GET %s: %w", where, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, bodyLimit))
	if err != nil {
		return "", fmt.Errorf("GET %s: %w", where, err)
	}
	if res.StatusCode < 200 || res.StatusCode > 399 { // as the kubelet counts
		return "", fmt.Errorf("GET %s: it answered %s", where, res.Status)
	}
	var says struct {
		Build string `json:"build"`
	}
	_ = json.Unmarshal(body, &says) // a health page need not be JSON
	return says.Build, nil
}
