package configuration_test

import (
	"context"
	"testing"

	"zr/pkg/devattach"
)

// What the API server refuses is refused before anybody is asked.
func TestChangeSettingsOfAnAttachedDev422(t *testing.T) {
	a := newAttached(t, func(context.Context, *attached, devattach.Settings) (any, error) {
		t.Error("it was asked")
		return nil, nil
	})
	if got := a.put(a.etag(), "SIZE: '1'\n", "why"); got.Status != 422 || got.Problem(t) != "setting_required" {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
}
