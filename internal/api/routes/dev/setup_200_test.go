package dev_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"zr/pkg/devattach"
	"zr/pkg/devattach/attachment"
)

// What the attached zr dev finds and proposes is passed on as it says it.
func TestSetup200(t *testing.T) {
	a := newAPI(t)
	l := newAttachment(t, "one", map[devattach.Action]attachment.Do{
		devattach.Examine: func(context.Context, json.RawMessage) (any, error) {
			return devattach.Findings{Findings: []devattach.Finding{{Name: "clock", Status: "fail", Detail: "it is behind", Command: "timedatectl set-ntp true"}}}, nil
		},
		devattach.Propose: func(_ context.Context, argument json.RawMessage) (any, error) {
			var of devattach.Folder
			if err := json.Unmarshal(argument, &of); err != nil {
				return nil, err
			}
			if of.Folder != "shop" {
				return nil, &devattach.Failure{Code: devattach.NotFound, Text: "no such folder"}
			}
			return devattach.Proposal{Service: "shop", Kind: "go", Edits: []devattach.Snippet{{File: "config/dev.yaml", Under: "services", Text: "  shop: {}\n"}}}, nil
		},
	})
	l.Found(address(a.App), "")
	a.attached(runs(1))
	var found devattach.Findings
	got := a.Request(http.MethodGet, "/api/v1/dev/doctor", a.page...)
	got.Decode(t, &found)
	if got.Status != 200 || len(found.Findings) != 1 || found.Findings[0].Command != "timedatectl set-ntp true" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	propose := func(folder string) (int, string) {
		got := a.Send(http.MethodPost, "/api/v1/dev/propose", `{"folder":"`+folder+`"}`, a.page...)
		return got.Status, got.Body
	}
	if status, body := propose("shop"); status != 200 || !strings.Contains(body, `"under":"services"`) {
		t.Errorf("%d %s", status, body)
	}
	if status, body := propose("../shop"); status != 404 || !strings.Contains(body, "no such folder") {
		t.Errorf("of a folder that is none: %d %s", status, body)
	}
	if status, body := propose(`a\u0000b`); status != 422 {
		t.Errorf("with a zero byte: %d %s", status, body)
	}
	log := a.Request("GET", "/api/v1/activity?action=devPropose", a.page...).Body
	if strings.Count(log, `"done"`) != 1 || strings.Count(log, `"refused"`) != 1 {
		t.Errorf("the audit log has %s", log)
	}
}

// Viewers see the findings and propose nothing; without a session there is neither.
func TestSetup403(t *testing.T) {
	a := newAPI(t)
	viewer := a.LogIn("viewer")
	if got := a.Request("GET", "/api/v1/dev/doctor", viewer...); got.Status != 409 || got.Problem(t) != "not_attached" {
		t.Errorf("nobody is attached: %d %s", got.Status, got.Body)
	}
	if got := a.Request("GET", "/api/v1/dev/doctor"); got.Status != 401 {
		t.Errorf("without a session: %d %s", got.Status, got.Body)
	}
	if got := a.Send("POST", "/api/v1/dev/propose", `{"folder":"shop"}`, viewer...); got.Status != 403 {
		t.Errorf("a viewer: %d %s", got.Status, got.Body)
	}
}
