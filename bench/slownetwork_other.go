//go:build !linux

package main

import "sync/atomic"

const (
	slowSpace = ""
	slowHere  = ""
	slowRate  = 1
)

// slowNetwork is a slow line to a network namespace of Linux.
type slowNetwork struct{ delay, bytes atomic.Int64 }

func newSlowNetwork(b *bench) *slowNetwork {
	b.Fatal("a slow line takes a network namespace of Linux")
	return nil
}
