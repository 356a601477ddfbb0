package stack

import (
	"strings"
	"testing"

	"zr/pkg/cmdline"
	"zr/pkg/config"
	"zr/pkg/deploy/render"
	"zr/pkg/fault"
)

// A secrets file may be older than the key that signs login links.
func TestWhyThereIsNoLoginLink(t *testing.T) {
	api := endpoint{published: published{service: render.Service{Name: "api", LoginKey: "SIGNING"}}, scheme: "http"}
	for name, tc := range map[string]struct {
		asked      []endpoint
		secrets    map[string]string
		text, hint string
	}{
		"the key is missing":     {[]endpoint{api}, nil, `"api" are signed with the secret SIGNING`, "add SIGNING="},
		"nobody takes links":     {[]endpoint{{scheme: "http"}}, nil, "no service of this environment", "zr.dev/login-key"},
		"who takes them is away": {[]endpoint{api}, map[string]string{"SIGNING": "x"}, "no service of this environment", "status"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &project{Stack: &Stack{cfg: &config.Config{Env: "dev", Secrets: tc.secrets}}}
			err := s.noLogin(tc.asked, cmdline.Run{})
			if !strings.Contains(err.Error(), tc.text) || !strings.Contains(fault.HintOf(err), tc.hint) {
				t.Errorf("%v\nhint: %s", err, fault.HintOf(err))
			}
		})
	}
}
