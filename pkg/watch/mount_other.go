//go:build !linux

package watch

// sharedMount knows nothing here: the self-test decides alone.
func sharedMount(string) (kind string, shared bool) { return "", false }
