package metrics_test

import (
	"bufio"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"zr/internal/api/apitest"
	"zr/internal/api/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// page is what the api counts, by name and labels.
type page map[string]float64

// read reads a page, every line of which is a comment or a number with a name.
func read(t *testing.T, text string) page {
	t.Helper()
	all := page{}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		at := strings.LastIndex(lines.Text(), " ")
		value, err := strconv.ParseFloat(lines.Text()[at+1:], 64)
		if err != nil {
			t.Fatalf("not a number: %q", lines.Text())
		}
		all[lines.Text()[:at]] = value
	}
	return all
}

// scraper is an api with a token of a viewer, as Prometheus has it.
type scraper struct {
	*apitest.App
	t     *testing.T
	token []string
}

func newScraper(t *testing.T, settings map[string]string) *scraper {
	t.Helper()
	a := apitest.Run(t, settings)
	var made struct{ Secret string }
	a.Send(http.MethodPost, "/api/v1/tokens", `{"name":"prometheus","role":"viewer"}`, a.LogIn("operator")...).Decode(t, &made)
	return &scraper{a, t, []string{"Authorization", "Bearer " + made.Secret}}
}

func (s *scraper) scrape() page {
	s.t.Helper()
	got := s.Request(http.MethodGet, "/metrics", s.token...)
	if got.Status != http.StatusOK || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/plain; version=0.0.4") {
		s.t.Fatalf("%d %s", got.Status, got.Body)
	}
	return read(s.t, got.Body)
}

// await scrapes until a number is as wanted.
func (s *scraper) await(name string, wanted func(float64) bool) {
	s.t.Helper()
	var last page
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if last = s.scrape(); wanted(last[name]) {
			return
		}
	}
	s.t.Fatalf("%s stays %v of %v", name, last[name], last)
}

func is(wanted float64) func(float64) bool { return func(v float64) bool { return v == wanted } }

func above(least float64) func(float64) bool { return func(v float64) bool { return v > least } }
