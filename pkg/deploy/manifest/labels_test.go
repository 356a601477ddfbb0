package manifest

import "testing"

// kubectl apply --applyset=zr-x -n default labels its members like this.
func TestSetIDIsThatOfKubectl(t *testing.T) {
	if got, want := SetID("zr-x", "default"), "applyset-hTXpZaztEO4OD_XvLl0DblaqxUPcQnMZDD4NCVwu3Cs-v1"; got != want {
		t.Errorf("the ID is %q, want %q", got, want)
	}
}
