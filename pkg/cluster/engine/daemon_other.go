//go:build !linux

package engine

import "context"

// daemonPID returns nothing: outside Linux every engine runs in a virtual
// machine.
func daemonPID(context.Context) (pid string, local bool) { return "", false }
