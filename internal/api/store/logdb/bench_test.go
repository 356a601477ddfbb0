package logdb

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"zr/internal/api/logstore"
	"zr/internal/api/store/storetest"
	"zr/pkg/logline"
)

// stillOpen is how many of the lines are in the table that is written: half of what it
// takes.
const stillOpen = 50_000

// BenchmarkLogs stores ZR_BENCH_LINES lines (1,000,000 where it is not set) and
// searches them, in turns with grep on the same lines in a file:
//
//	go test -run '^$' -bench Logs -benchtime 1x -timeout 30m ./internal/api/store/logdb
func BenchmarkLogs(b *testing.B) {
	total := 1_000_000
	if n, err := strconv.Atoi(os.Getenv("ZR_BENCH_LINES")); err == nil {
		total = n
	}
	total += stillOpen
	server := storetest.NewPostgres(b)
	server.Start()
	limits := DefaultLimits()
	limits.Size = 1 << 40
	s := openStore(b, server.URL("postgres"), limits)
	epoch := lead(b, s, 0).Epoch()
	file, err := os.Create(filepath.Join(b.TempDir(), "lines"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	random, bytes := rand.New(rand.NewPCG(1, 2)), 0
	var storing time.Duration
	for first := 0; first < total; first += 5000 {
		var batch []*logline.Line
		for n := first; n < first+5000; n++ {
			l := &logline.Line{ID: int64(n + 1), Time: time.Now().Add(time.Duration(n-total) * time.Millisecond), Service: fmt.Sprintf("service-%d", n%12),
				Pod: fmt.Sprintf("service-%d-abc", n%12), Container: "main", Record: logline.Parse(sample(random, n, total))}
			text := l.Text()
			bytes += len(text)
			fmt.Fprintln(file, text)
			batch = append(batch, l)
		}
		begin := time.Now()
		appendLines(b, s, epoch, batch...)
		storing += time.Since(begin)
	}
	begin := time.Now()
	if err := s.Upkeep(b.Context(), env); err != nil {
		b.Fatal(err)
	}
	packing := time.Since(begin)
	var size, grams, rows int64
	if err := s.pool.QueryRow(b.Context(), `SELECT sum(CASE WHEN blocks = 0 THEN pg_total_relation_size(('log_lines_'||number)::regclass) ELSE bytes END)::bigint,
		sum(octet_length(grams))::bigint, (sum(lines) FILTER (WHERE blocks = 0))::bigint FROM log_partitions`).Scan(&size, &grams, &rows); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d lines of %d bytes: stored at %.0f lines/s, packed in %v; %d bytes a line on disk, %d of them to find the blocks of a text; %d lines are in the open table", total, bytes/total,
		float64(total)/storing.Seconds(), packing.Round(time.Millisecond), size/int64(total), grams/int64(total), rows)
	for b.Loop() {
		for _, q := range questions {
			var here, grep []time.Duration
			found := 0
			for range 7 {
				begin := time.Now()
				page, err := logstore.NewSearcher(s).Search(b.Context(), logstore.Query{Environment: env, Filter: &q.filter, Limit: 50, Context: 3})
				if err != nil {
					b.Fatal(err)
				}
				here = append(here, time.Since(begin))
				found = len(page.Lines)
				begin = time.Now()
				_, _ = exec.Command("grep", append(q.grep, file.Name())...).Output() // ends with 1 where nothing matches
				grep = append(grep, time.Since(begin))
			}
			slices.Sort(here)
			slices.Sort(grep)
			b.Logf("%-42s %3d lines: median %8v, worst %8v; grep %8v", q.name, found, here[3].Round(100*time.Microsecond), here[6].Round(100*time.Microsecond), grep[3].Round(100*time.Microsecond))
		}
	}
}

// questions are asked of the store and of grep.
var questions = []struct {
	name   string
	filter logline.Filter
	grep   []string
}{
	{"the newest", logline.Filter{}, []string{"-c", ""}},
	{"text in most lines", logline.Filter{Text: "request"}, []string{"-ic", "request"}},
	{"text in three lines", logline.Filter{Text: "disk is on fire"}, []string{"-ic", "disk is on fire"}},
	{"text in no line", logline.Filter{Text: "nobody wrote this"}, []string{"-ic", "nobody wrote this"}},
	{"expression, three lines", logline.Filter{Regexp: regexp.MustCompile(`disk is on (fire|ice)`)}, []string{"-Ec", `disk is on (fire|ice)`}},
	{"expression, no line", logline.Filter{Regexp: regexp.MustCompile(`nobody \w+ this`)}, []string{"-Ec", `nobody \w+ this`}},
	{"expression without a literal, most lines", logline.Filter{Regexp: regexp.MustCompile(`\d{2}ms`)}, []string{"-Ec", `[0-9]{2}ms`}},
	{"expression without a literal, no line", logline.Filter{Regexp: regexp.MustCompile(`q\dz\d`)}, []string{"-Ec", `q[0-9]z[0-9]`}},
	{"expression of digits alone, no line", logline.Filter{Regexp: regexp.MustCompile(`\b\d{8}\b`)}, []string{"-Ec", `\b[0-9]{8}\b`}},
	{"expression of common texts, no line", logline.Filter{Regexp: regexp.MustCompile(`user-\d+.*method`)}, []string{"-Ec", `user-[0-9]+.*method`}},
	{"text of three letters, no line", logline.Filter{Text: "xyz"}, []string{"-ic", "xyz"}},
	{"field of one request", logline.Filter{Fields: []logline.Field{{Key: "trace", Value: "cafe0123456789"}}}, []string{"-c", "trace=cafe0123456789"}},
	{"level error", logline.Filter{Level: logline.Error}, []string{"-c", "failed"}},
	{"level error and expression, no line", logline.Filter{Level: logline.Error, Regexp: regexp.MustCompile(`status=2\d\d`)}, []string{"-Ec", `failed.*status=2[0-9]{2}`}},
	{"service and text", logline.Filter{Services: []string{"service-3"}, Text: "failed"}, []string{"-c", "failed"}},
}

// sample is the n-th line.
func sample(random *rand.Rand, n, total int) string {
	trace := fmt.Sprintf("%014x", random.Uint64()>>8)
	switch {
	case n%(total/3) == total/7:
		return `{"level":"warn","msg":"the disk is on fire","trace":"cafe0123456789"}`
	case n%500 == 7:
		return fmt.Sprintf(`{"level":"error","msg":"request failed: connection refused","path":"/api/v1/orders/%d","status":500,"trace":"%s"}`, random.IntN(100000), trace)
	case n%5 == 0:
		return fmt.Sprintf("2026-01-02 03:04:05.000 INFO  [worker-%d] job %d done in %dms", random.IntN(16), random.IntN(1e6), random.IntN(900))
	}
	return fmt.Sprintf(`{"level":"info","msg":"request","method":"GET","path":"/api/v1/orders/%d","status":200,"ms":%d,"trace":"%s","user":"user-%d"}`,
		random.IntN(100000), random.IntN(300), trace, random.IntN(5000))
}
