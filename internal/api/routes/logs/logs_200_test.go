package logs_test

import (
	"fmt"
	"strings"
	"testing"

	"zr/internal/api/routes/logs"
)

func TestLogs200(t *testing.T) {
	a := withLines(t, 30)
	for query, want := range map[string]string{
		"?limit=3":                                "29 28 27",
		"?limit=3&order=oldest":                   "0 1 2",
		"?level=error&limit=2":                    "29 26",
		"?text=LINE%201&limit=2":                  "19 18",
		"?regexp=" + `line%20%5B12%5D3`:           "23 13",
		"?field=n%3D7":                            "7",
		"?field=n%3D7&field=n%3D8":                "",
		"?service=nobody":                         "",
		"?service=api&text=line%2022&level=error": "",
		"?to=2020-01-02T15:04:05Z":                "",
	} {
		r := a.Get("/api/v1/logs" + query)
		if r.Status != 200 {
			t.Fatalf("%s: %d %s", query, r.Status, r.Body)
		}
		var found logs.Found
		r.Decode(t, &found)
		var got []string
		for _, l := range found.Lines {
			got = append(got, strings.TrimPrefix(l.Message, "line "))
		}
		if strings.Join(got, " ") != want || !found.Complete {
			t.Errorf("%s: got %v, complete %v, want %s", query, got, found.Complete, want)
		}
	}
}

func TestLogs200PagesAndContext(t *testing.T) {
	a := withLines(t, 30)
	var got []string
	cursor := ""
	for pages := 0; pages < 10; pages++ {
		var found logs.Found
		a.Get("/api/v1/logs?limit=8&cursor="+cursor).Decode(t, &found)
		for _, l := range found.Lines {
			got = append(got, l.Fields["n"])
		}
		if cursor = found.Next; cursor == "" {
			break
		}
	}
	if len(got) != 30 || got[0] != "29" || got[29] != "0" {
		t.Errorf("the pages have %v", got)
	}
	var found logs.Found
	a.Get("/api/v1/logs?field=n%3D7&context=2").Decode(t, &found)
	if len(found.Context) != 1 {
		t.Fatalf("got %+v", found)
	}
	c := found.Context[0]
	if said := fmt.Sprint(c.Before[0].Fields["n"], c.Before[1].Fields["n"], c.After[0].Fields["n"], c.After[1].Fields["n"]); said != fmt.Sprint("6", "5", "8", "9") {
		t.Errorf("around 7 are %s", said)
	}
}

func TestLogs200Counts(t *testing.T) {
	a := withLines(t, 30)
	var counts logs.Counts
	a.Get("/api/v1/logs/counts?every=86400&level=warning").Decode(t, &counts)
	byLevel := map[string]int64{}
	for _, c := range counts.Counts {
		byLevel[c.Level] += c.Lines
	}
	if byLevel["warning"] != 10 || byLevel["error"] != 10 || len(byLevel) != 2 {
		t.Errorf("got %v", byLevel)
	}
}

func TestLogs200Export(t *testing.T) {
	a := withLines(t, 30)
	r := a.Get("/api/v1/logs/export?format=ndjson&level=error")
	if lines := strings.Split(strings.TrimSpace(r.Body), "\n"); r.Status != 200 || len(lines) != 10 || !strings.Contains(lines[0], `"message":"line 2"`) {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	r = a.Get("/api/v1/logs/export?format=text")
	if lines := strings.Split(strings.TrimSpace(r.Body), "\n"); len(lines) != 30 || !strings.HasSuffix(lines[1], " api-1/main warning line 1 n=1") {
		t.Errorf("%s", r.Body)
	}
}
