package events_test

import (
	"testing"

	"zr/internal/api/routes/events"
)

func TestEvents200(t *testing.T) {
	a := serve(t, `
		{"involvedObject":{"kind":"Pod","name":"web-7d4b9-aaaaa"},"type":"Normal","reason":"Pulled","message":"it is there","lastTimestamp":"2026-01-02T12:00:00Z"},
		{"involvedObject":{"kind":"Pod","name":"web-7d4b9-bbbbb"},"type":"Warning","reason":"BackOff","message":"again","lastTimestamp":"2026-01-02T12:00:05Z"},
		{"involvedObject":{"kind":"Pod","name":"web-worker-7d4b9-ccccc"},"type":"Warning","reason":"BackOff","message":"of another","lastTimestamp":"2026-01-02T12:00:09Z"}`, "")
	got := a.Get("/api/v1/services/web/events")
	var said events.Events
	if got.Status != 200 {
		t.Fatalf("got %d %s", got.Status, got.Body)
	}
	got.Decode(t, &said)
	if len(said.Events) != 2 {
		t.Fatalf("got %+v", said)
	}
	if newest := said.Events[0]; newest.Object != "Pod/web-7d4b9-bbbbb" || !newest.Warning || newest.Reason != "BackOff" || newest.Message != "again" || newest.At.Second() != 5 {
		t.Errorf("the newest is %+v", newest)
	}
	if said.Events[1].Warning {
		t.Errorf("the other is %+v", said.Events[1])
	}
	none := serve(t, "", "").Get("/api/v1/services/web/events")
	if none.Status != 200 || string(none.Body) != `{"events":[]}`+"\n" {
		t.Errorf("without events: %d %q", none.Status, none.Body)
	}
}
