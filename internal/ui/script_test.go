package ui

import (
	"time"

	"zr/pkg/event"
)

// began is when the scripts of the tests begin.
var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// at stamps events with a time after began.
func at(after time.Duration, events ...event.Event) []stamped {
	var all []stamped
	for _, e := range events {
		all = append(all, stamped{e, began.Add(after)})
	}
	return all
}

// upScript is a run of up in which one service fails.
func upScript() [][]stamped {
	s := time.Second
	return [][]stamped{
		at(0, event.StepStarted{Step: "config", Title: "Configuration"},
			event.StepDone{Step: "config", Took: 3 * time.Millisecond, Detail: "config/dev.yaml"},
			event.Notice{Text: "The disk is nearly full.", Hint: "zr images prune"},
			event.StepStarted{Step: "load", Title: "Loading images"},
			event.StepStarted{Step: "build/api", Title: "Building api"}),
		at(500*time.Millisecond, event.StepProgress{Step: "load", Done: 50 << 20, Total: 100 << 20, Unit: "bytes", Detail: "base\x1b[2J"}),
		at(3*s, event.StepProgress{Step: "load", Done: 60 << 20, Total: 100 << 20, Unit: "bytes", Detail: "base"},
			event.StepProgress{Step: "build/api", Done: 1, Unit: "packages"}),
		at(4*s, event.StepProgress{Step: "load", Done: 61 << 20, Total: 100 << 20, Unit: "bytes", Detail: "base"}),
		at(12*s, event.StepProgress{Step: "build/api", Done: 230, Unit: "packages", Detail: "net/http"}),
		at(20*s, event.StepDone{Step: "load", Took: 20 * s, Unchanged: true},
			event.StepDone{Step: "build/api", Took: 20 * s, Detail: "12 MiB\nand more"}),
		at(21*s, event.ServiceState{Service: "api", State: event.Pending, Reason: "waits for db"},
			event.StepStarted{Step: "health/db", Title: "Waiting for db", Deadline: began.Add(21*s + 3*time.Minute)},
			event.ServiceState{Service: "db", State: event.Starting, Reason: "0 of 1 pods are ready"}),
		at(22*s, event.ServiceState{Service: "db", State: event.Starting, Reason: "its container is being made"}),
		at(35*s, event.ServiceState{Service: "db", State: event.Starting, Reason: `container "db" crashed with exit code 1`}),
		at(40*s, event.ServiceState{Service: "db", State: event.Unhealthy, Reason: `container "db" crashed with exit code 1`},
			event.StepFailed{Step: "health/db", Took: 19 * s, Error: "container \"db\" crashed with exit code 1\n    no space left", Hint: "zr logs db"}),
		at(41*s, event.Ready{Endpoints: map[string]string{"web": "http://localhost:3000", "api": "http://localhost:3001"}, Took: 41 * s, Next: "zr dev"}),
	}
}

// devScript is a `zr dev` in which a save breaks and is fixed.
func devScript() [][]stamped {
	s := time.Second
	return [][]stamped{
		at(0, event.ServiceState{Service: "api", State: event.Healthy, Build: "0123456789abcdef"},
			event.ServiceState{Service: "web", State: event.Healthy}),
		at(s, event.LogLine{Time: began, Service: "api", Pod: "api-5d-a", Container: "api", Level: "info", Text: "listening addr=:3001"},
			event.LogLine{Time: began, Service: "api", Pod: "api-5d-b", Container: "api", Level: "error", Text: "no\tdatabase"},
			event.LogLine{Time: began, Service: "web", Pod: "web-1", Container: "web", Text: "GET /"},
			event.Skipped{Service: "web", N: 1200}),
		at(2*s, event.ServiceState{Service: "api", State: event.Building, Reason: "main.go"},
			event.Problem{Source: "api", Text: "main.go:12:4: undefined: x\nmain.go:14:4: undefined: y"},
			event.Problem{Source: "api", Text: "main.go:12:4: undefined: x\nmain.go:14:4: undefined: y"},
			event.Reload{Service: "api", Action: event.Restart, Paths: []string{"main.go"}, Error: "main.go:12:4: undefined: x"}),
		at(5*s, event.Problem{Source: "api", Cleared: true}, event.Problem{Source: "api", Cleared: true},
			event.ServiceState{Service: "api", State: event.Reloading},
			event.Reload{Service: "api", Action: event.Restart, Paths: []string{"main.go", "a.go", "b.go"}, Build: "ffff456789abcdef", Bytes: 123456,
				Noticed: 14 * time.Millisecond, Built: 1301 * time.Millisecond, Sent: 22 * time.Millisecond, Swapped: 31 * time.Millisecond, Healthy: 44 * time.Millisecond},
			event.ServiceState{Service: "api", State: event.Healthy, Build: "ffff456789abcdef"}),
		at(9*s, event.Reload{Service: "api", Action: event.Restart, Paths: []string{"main.go"}, Error: "it exits with code 2", RolledBack: true}),
		at(10*s, event.Reload{Service: "web", Action: event.Sync, Paths: []string{"page.html"}, Noticed: 2 * time.Millisecond, Sent: 3 * time.Millisecond, OnlySent: true}),
	}
}
