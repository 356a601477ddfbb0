package processtest_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"zr/internal/api/contract"
	"zr/internal/api/processtest"
	"zr/internal/api/routes/logs"
	"zr/internal/api/store/storetest"
	"zr/pkg/deploy/kubetest"
)

// logMegabytes is how much is written: ZR_LOG_MB, or four.
func logMegabytes(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("ZR_LOG_MB"))
	if err != nil && os.Getenv("ZR_LOG_MB") != "" {
		t.Fatal(err)
	}
	return max(n, 4)
}

// TestNoSecretIsShown plants the 200 values of a Secret in every line that a container
// writes, as they are, in base64 and in the form of a URL, in why
// one does not start and in its environment, and looks for them in every answer and in every row of the database.
func TestNoSecretIsShown(t *testing.T) {
	c := processtest.New(t, kubetest.Server(t))
	kubelet := c.Node()
	c.Pod("web")
	c.Workload("ended")
	server, redis := storetest.NewPostgres(t), storetest.NewRedis(t)
	server.Start()
	redis.Start()
	secrets, dir := secretValues(), t.TempDir()
	values := map[string]string{}
	for i, s := range secrets {
		values[fmt.Sprintf("KEY_%d", i)] = s
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("KEY_%d", i)), []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a := processtest.Start(t, c.Mount(), map[string]string{"DATABASE_URL": server.URL("postgres"), "REDIS_URL": redis.URL(), "SECRETS_DIR": dir})
	client := processtest.NewClient(t, a.Token(), func() []*processtest.API { return []*processtest.API{a} })
	data, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	c.Create(c.Objects("", "v1", "secrets"), "{apiVersion: v1, kind: Secret, metadata: {name: secrets}, stringData: "+string(data)+"}")
	c.Create(c.Objects("", "v1", "configmaps"), "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {LEVEL: info}}")
	if _, err := c.Objects("apps", "v1", "statefulsets").Patch(t.Context(), "ended", types.StrategicMergePatchType, fmt.Appendf(nil,
		`{"spec":{"template":{"spec":{"containers":[{"name":"main","env":[{"name":"NOTE","value":%q},{"name":"STORE","value":%q}]}]}}}}`,
		"no login with "+secrets[2], "postgres://u:"+url.PathEscape(secrets[3])+"@db/x"), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	c.Event("ended-0", "no login with "+secrets[1])
	c.SetPod("ended-0", fmt.Sprintf(`{"phase":"Pending","containerStatuses":[{"name":"main","ready":false,"restartCount":0,"image":"none:1","imageID":"none",
		"state":{"waiting":{"reason":"CreateContainerConfigError","message":%q}}}]}`, "no login with "+secrets[0]))

	lines, bytes := 0, 0
	for part := range logMegabytes(t) { // one at a time, so that none is skipped
		var batch []string
		for ; bytes < (part+1)<<20; lines++ {
			batch = append(batch, planted(lines, secrets))
			bytes += len(batch[len(batch)-1])
		}
		end := fmt.Sprintf("the end of part %d", part)
		kubelet.Write("web", append(batch, end)...)
		a.Await(end, func() bool {
			var page logs.Found
			client.Get(contract.Base+"/logs?limit=1", &page)
			return len(page.Lines) == 1 && page.Lines[0].Message == end
		})
	}

	a.Await("why a container does not start", func() bool {
		return strings.Contains(client.Text(contract.Base+"/services"), "no login with")
	})
	finder := newFinder(secrets)
	marks := 0
	for _, path := range []string{"/logs/export?format=ndjson", "/logs/export?format=text", "/logs?limit=1000&context=3", "/logs/counts?every=3600", "/services",
		"/services/ended/events", "/services/ended", "/services/ended/details",
		"/configuration", "/configuration/revisions", "/configuration/secrets", "/dev", "/dev/events", "/dev/metrics?window=1h", "/history", "/uptime?window=1h", "/activity", "/tokens", "/environments", "/health"} {
		body := client.Text(contract.Base + path)
		finder.look(t, path, body)
		marks += strings.Count(body, "[redacted]")
		if strings.HasPrefix(path, "/services") && !strings.Contains(body, "no login with [redacted]") {
			t.Errorf("%s: %s", path, body)
		}
	}
	if marks < lines {
		t.Errorf("%d lines have %d marks", lines, marks)
	}
	_, counted := a.Get("/metrics", a.LogIn("viewer"))
	finder.look(t, "/metrics", string(counted))
	for table, rows := range tables(t, server.URL("postgres")) {
		finder.look(t, "table "+table, rows)
	}
	finder.look(t, "the log of the api", a.Log.String())
	t.Logf("%d lines, %d MB, %d marks", lines, bytes>>20, marks)
}

// secretValues are 200 with every kind of character.
func secretValues() []string {
	const alphabet = `abcXYZ0189+/=_-.~!@#$%^&*(){}[]<>"'\ `
	random := rand.New(rand.NewPCG(3, 4))
	var all []string
	for i := range 200 {
		var b strings.Builder
		for range 14 + i%30 {
			b.WriteByte(alphabet[random.IntN(len(alphabet))])
		}
		all = append(all, "s"+b.String()+"e")
	}
	return all
}

// planted is the n-th line.
func planted(n int, secrets []string) string {
	s := secrets[n%len(secrets)]
	padding := strings.Repeat("x", n%900)
	asJSON, _ := json.Marshal(s) // a string
	switch (n / len(secrets)) % 8 {
	case 0:
		return "login with " + s + " failed " + padding
	case 1:
		return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+s)) + " " + padding
	case 2:
		return "GET /callback?code=" + url.QueryEscape(s) + "&p=" + padding
	case 3:
		return `{"level":"info","msg":"connect","dsn":"postgres://u:` + url.PathEscape(s) + `@db/x","p":"` + padding + `"}`
	case 4:
		return `{"level":"error","msg":` + string(asJSON) + `,"` + padding + `":1}`
	case 5:
		return `level=warn msg="bad token" token=` + strconv.Quote(s) + " p=" + padding
	case 6:
		return "cookie " + base64.RawURLEncoding.EncodeToString([]byte(s)) + "; " + padding
	}
	return "\x1b[31m" + s[:3] + "\x1b[0m" + s[3:] + " " + padding
}

// windowBytes is how much of a value is looked for at first.
const windowBytes = 8

// finder looks for values in every form, by another way than what takes them out.
type finder struct {
	forms map[string][]string // by their first bytes
	texts *regexp.Regexp      // what may be base64
}

func newFinder(secrets []string) *finder {
	f := &finder{forms: map[string][]string{}, texts: regexp.MustCompile(`[A-Za-z0-9+/_-]{16,}`)}
	for _, s := range secrets {
		asJSON, _ := json.Marshal(s) // a string
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s), strings.Trim(string(asJSON), `"`), strings.Trim(strconv.Quote(s), `"`)} {
			f.forms[form[:windowBytes]] = append(f.forms[form[:windowBytes]], form)
		}
	}
	return f
}

func (f *finder) has(text string) string {
	for i := 0; i+windowBytes <= len(text); i++ {
		for _, form := range f.forms[text[i:i+windowBytes]] {
			if strings.HasPrefix(text[i:], form) {
				return form
			}
		}
	}
	return ""
}

func (f *finder) look(t *testing.T, where, text string) {
	t.Helper()
	if found := f.has(text); found != "" {
		t.Errorf("%s shows %q", where, found)
	}
	for _, token := range f.texts.FindAllString(text, -1) {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			for cut := range 4 { // it may begin within the token
				if decoded, err := encoding.DecodeString(token[cut : cut+(len(token)-cut)/4*4]); err == nil {
					if found := f.has(string(decoded)); found != "" {
						t.Errorf("%s shows %q in base64", where, found)
					}
				}
			}
		}
	}
}

// tables are all rows of the database, as text.
func tables(t *testing.T, at string) map[string]string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'")
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, name := range names {
		rows, err := conn.Query(t.Context(), "SELECT r::text FROM "+pgx.Identifier{name}.Sanitize()+" r")
		if err != nil {
			t.Fatal(err)
		}
		text, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		all[name] = strings.Join(text, "\n")
	}
	if all["log_partitions"] == "" {
		t.Fatalf("the database has no lines: %d tables", len(names))
	}
	return all
}
