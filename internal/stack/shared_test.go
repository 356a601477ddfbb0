package stack

import (
	"strings"
	"testing"
	"time"

	"zr/internal/testkit"
	"zr/pkg/config"
	"zr/pkg/deploy"
	"zr/pkg/fault"
)

const sharedConfig = "project: tiny\ncluster: {provider: context, context: team, registry: registry.example/team}\nservices: {web: {}}\n"

// TestWhatOthersUseIsNotDeletedUnasked has a set that lost two objects.
func TestWhatOthersUseIsNotDeletedUnasked(t *testing.T) {
	changes := &deploy.ChangeSet{Changes: []deploy.Change{
		{Action: deploy.Configured, Kind: "Deployment", Name: "web"}, {Action: deploy.Pruned, Kind: "Deployment", Name: "old"}, {Action: deploy.Pruned, Kind: "Service", Name: "old"},
	}}
	s := stackOf(t, testkit.Project(sharedConfig))
	s.options.Verb = "up"
	err := s.unrendered().mayDelete(changes, s.lines)
	if fault.Code(err) != fault.Usage || !strings.Contains(err.Error(), "delete Deployment old, Service old from team") || !strings.Contains(fault.HintOf(err), "--yes") {
		t.Errorf("%v (hint %q)", err, fault.HintOf(err))
	}
	s.cfg.Services["web"] = config.Service{Build: &config.Build{}}
	if err := s.unrendered().mayDelete(&deploy.ChangeSet{Changes: []deploy.Change{{Action: deploy.Pruned, Kind: "Secret", Name: "web-dev"}}}, s.lines); err != nil {
		t.Errorf("of what zr dev added: %v", err)
	}
	s.options.Yes = true
	if err := s.unrendered().mayDelete(changes, s.lines); err != nil {
		t.Errorf("after a yes: %v", err)
	}
	own := stackOf(t, testkit.Project("project: tiny\nservices: {web: {}}\n"))
	if err := own.unrendered().mayDelete(changes, s.lines); err != nil {
		t.Errorf("on a cluster of its own: %v", err)
	}
}

// TestWhatOthersChangedIsNotTakenBackUnasked has two fields that somebody has edited.
func TestWhatOthersChangedIsNotTakenBackUnasked(t *testing.T) {
	changes := &deploy.ChangeSet{Changes: []deploy.Change{
		{Action: deploy.Configured, Kind: "Deployment", Name: "web", Drifted: []deploy.Drift{{Path: ".spec.replicas", Manager: "kubectl-edit", Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}},
		{Action: deploy.Configured, Kind: "Service", Name: "web", Drifted: []deploy.Drift{{Path: ".spec.type", Manager: "lens"}}},
	}}
	s := stackOf(t, testkit.Project(sharedConfig))
	s.options.Verb = "up"
	err := s.unrendered().mayTakeBack(changes, s.lines)
	if fault.Code(err) != fault.Usage || !strings.Contains(fault.HintOf(err), "zr up ") || !strings.Contains(fault.HintOf(err), " --yes` takes it back") ||
		!strings.Contains(err.Error(), `Deployment web: .spec.replicas was changed by "kubectl-edit" at 2026-01-02T03:04:05Z; Service web: .spec.type was changed by "lens"`) {
		t.Errorf("%v (hint %q)", err, fault.HintOf(err))
	}
	s.options.Yes = true
	if err := s.unrendered().mayTakeBack(changes, s.lines); err != nil {
		t.Errorf("after a yes: %v", err)
	}
	own := stackOf(t, testkit.Project("project: tiny\nservices: {web: {}}\n"))
	if err := own.unrendered().mayTakeBack(changes, s.lines); err != nil {
		t.Errorf("on a cluster of its own: %v", err)
	}
}

func TestSecretsOfAnExampleAreRefusedOnASharedCluster(t *testing.T) {
	files := testkit.Project(sharedConfig)
	files["config/secrets/dev.env"] = "A=mock-password\nB=real\n"
	s := stackOf(t, files)
	if _, err := s.renderWithSecrets(t.Context()); fault.Code(err) != fault.Usage || !strings.Contains(err.Error(), "config/secrets/dev.env has the values of an example: A") {
		t.Errorf("got %v", err)
	}
	files["config/dev.yaml"] = "project: tiny\nservices: {web: {}}\n"
	if err := stackOf(t, files).realSecrets(); err != nil {
		t.Errorf("on a cluster of its own: %v", err)
	}
}
