package contract

import "testing"

func TestACursorLeadsToWhatFollows(t *testing.T) {
	p := Page{Limit: 2}
	if next := p.Next(1, 7); next != "" {
		t.Errorf("the last page has a next one: %q", next)
	}
	p.Cursor = p.Next(2, 7)
	if before, err := p.Before(); err != nil || before != 7 {
		t.Errorf("got %d, %v", before, err)
	}
	for _, bad := range []string{"7", "AAAAAAAAAAA", "__________8", "AAAAAAAAAAcA"} {
		if before, err := (Page{Cursor: bad}).Before(); err == nil {
			t.Errorf("%q is taken for %d", bad, before)
		}
	}
}
