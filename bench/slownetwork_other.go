//go:build !linux

package main

import "sync/atomic"

const (
	slowSpace = ""
	slowHere  = ""
	slowThere = ""
	slowMoved = ""
	slowRate  = 1
)

// slowNetwork is a slow line to a network namespace of Linux.
type slowNetwork struct {
	delay, bytes atomic.Int64
	down         atomic.Bool
}

func (*slowNetwork) move(*bench, string, string) {}

func newSlowNetwork(b *bench) *slowNetwork {
	b.Fatal("a slow line takes a network namespace of Linux")
	return nil
}
