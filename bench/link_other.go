//go:build !linux

package main

import "sync/atomic"

const (
	linkSpace = ""
	linkHere  = ""
	linkRate  = 1
)

// link is a slow line to a network namespace of Linux.
type link struct{ delay, bytes atomic.Int64 }

func newLink(b *bench) *link {
	b.Fatal("a slow line takes a network namespace of Linux")
	return nil
}
