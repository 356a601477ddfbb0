package testkit

import "testing"

// Asked for as often as this, a port that is only free at the time comes twice.
func TestFreePortIsGivenOnce(t *testing.T) {
	given := map[int]bool{}
	for range 300 {
		port := FreePort(t)
		if given[port] {
			t.Fatalf("port %d was given twice", port)
		}
		given[port] = true
	}
}
