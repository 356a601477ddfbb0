package services_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"zr/internal/api/fleet"
	"zr/internal/api/routes/services"
)

// podEvent is what a watch tells of the pod of postgres, which is ready or not.
func podEvent(ready bool, version int) string {
	return fmt.Sprintf(`{"type":"MODIFIED","object":{"metadata":{"name":"postgres-0","uid":"postgres-0","resourceVersion":"%d","ownerReferences":[{"uid":"postgres","controller":true}]},
		"status":{"phase":"Running","conditions":[{"type":"Ready","status":%q}],"containerStatuses":[{"name":"postgres","ready":%t,"started":true,"state":{"running":{"startedAt":"2026-01-02T12:00:00Z"}}}]}}}`+"\n",
		version, map[bool]string{true: "True", false: "False"}[ready], ready)
}

// A change that Kubernetes tells is in the next frame, which holds what changed and
// nothing else; and Kubernetes is asked for nothing that it has told.
func TestLive101(t *testing.T) {
	c := newCluster(t)
	a, reader := replica(t, c, nil)
	conn, _, err := websocket.Dial(t.Context(), strings.Replace(a.URL(), "http", "ws", 1)+"/api/v1/live/services", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	next := func() (f services.Frame) {
		_, text, err := conn.Read(ctx)
		if err == nil {
			err = json.Unmarshal(text, &f)
		}
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	if first := next(); len(first.Changed) != 2 || first.Kubernetes.Status != "ok" {
		t.Fatalf("at first: %+v", first)
	}
	var took []time.Duration
	for i := range 20 {
		begin := time.Now()
		c.pods <- podEvent(i%2 == 1, i)
		f := next()
		took = append(took, time.Since(begin))
		if len(f.Changed) != 1 || f.Changed[0].Name != "postgres" || f.Changed[0].Pods[0].Ready != (i%2 == 1) || (f.Changed[0].State == fleet.Healthy) != (i%2 == 1) && i < 4 {
			t.Fatalf("change %d: %+v", i, f)
		}
	}
	slices.Sort(took)
	t.Logf("from the watch to the frame: median %v, worst %v", took[10], took[19])
	asked := c.asked.Load()
	last, err := reader.Snapshot(ctx)
	for range 4 { // each a second later
		if err == nil {
			last, err = reader.Next(ctx, last)
		}
	}
	if now := c.asked.Load(); err != nil || now != asked {
		t.Errorf("Kubernetes was asked %d times while nothing changed, %v", now-asked, err)
	}
}
