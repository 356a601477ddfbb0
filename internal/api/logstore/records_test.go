package logstore

import (
	"fmt"
	"testing"
	"time"

	"zr/internal/api/logstore/redact"
	"zr/pkg/logline"
	"zr/pkg/logs/follow"
)

// BenchmarkRecords makes records of the lines of one container.
func BenchmarkRecords(b *testing.B) {
	r := newRecords(0, nil, redact.New([]string{"postgres://zr:s3cr3t-word@db:5432/zr", "key-of-the-login-links"}), func(*logline.Line, Container, follow.Cursor) {})
	at := time.Now()
	for n := 0; b.Loop(); n++ {
		at = at.Add(50 * time.Microsecond)
		r.take(follow.Line{Time: at, Service: "web", Pod: "web-1", PodUID: "u", Container: "main",
			Text: fmt.Sprintf(`{"level":"info","msg":"line %d","path":"/api/v1/orders/%d","status":200,"ms":%d}`, n, n%1000, n%300)})
	}
}
