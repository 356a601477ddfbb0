package activity_test

import (
	"testing"

	"zr/internal/api/apitest"
	"zr/internal/api/routes/activity"
)

// What was done and what was refused is there, newest first, by pages.
func TestActivity200(t *testing.T) {
	a := apitest.Run(t, apitest.WithServers(t))
	page := a.LogIn("operator")
	for _, name := range []string{"one", "two", "three"} {
		if got := a.Send("POST", "/api/v1/tokens", `{"name":"`+name+`","role":"viewer"}`, page...); got.Status != 201 {
			t.Fatalf("got %d %s", got.Status, got.Body)
		}
	}
	a.Request("GET", "/api/v1/tokens")
	a.Request("GET", "/api/v1/services", "Host", "rebound.example")
	a.Request("GET", "/api/v1/services", "Origin", "https://evil.example")
	read := func(query string) (list activity.Activity) {
		got := a.Request("GET", "/api/v1/activity?"+query, page...)
		if got.Status != 200 {
			t.Fatalf("%s: got %d %s", query, got.Status, got.Body)
		}
		got.Decode(t, &list)
		return list
	}
	if refused := read("outcome=refused").Records; len(refused) != 3 || refused[2].Target != "/api/v1/tokens" || refused[0].RequestID == "" || refused[0].Actor != "127.0.0.1" {
		t.Errorf("refusals: %+v", refused)
	}
	first := read("action=createToken&limit=2")
	if len(first.Records) != 2 || first.Records[0].Target != "three" || first.Records[0].Actor != "ada" || first.Next == "" {
		t.Fatalf("got %+v", first)
	}
	last := read("action=createToken&limit=2&cursor=" + first.Next)
	if len(last.Records) != 1 || last.Records[0].Target != "one" || last.Next != "" {
		t.Errorf("got %+v", last)
	}
	if none := read("actor=nobody-of-that-name"); none.Records == nil || len(none.Records) != 0 {
		t.Errorf("got %+v", none)
	}
}
