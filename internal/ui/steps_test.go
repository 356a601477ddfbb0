package ui

import (
	"testing"
	"time"

	"zr/pkg/event"
)

// TestTheTimeLeftOfAFirstBuild has a step that downloads for two minutes before
// it counts anything, and then gets on at an even pace.
func TestTheTimeLeftOfAFirstBuild(t *testing.T) {
	var all steps
	st := all.start(event.StepStarted{Step: "build"}, began)
	at := began.Add(2 * time.Minute)
	st.advance(event.StepProgress{Detail: "downloading"}, began.Add(time.Second))
	const total = 1000
	for done := int64(0); done <= total; done += 10 { // 10 a second
		st.advance(event.StepProgress{Done: done, Total: total, Unit: "packages"}, at)
		want := time.Duration(total-done) * time.Second / 10
		if got := st.remaining(at); done > 0 && got != 0 && got != want {
			t.Errorf("with %d of %d done, %s are left, want %s", done, total, got, want)
		}
		if st.percent() >= 5 && done < total && st.remaining(at) == 0 {
			t.Errorf("with %d of %d done, nothing is said", done, total)
		}
		at = at.Add(time.Second)
	}
}

// TestThePaceIsThatOfNow has a step that begins ten times as slow as it goes on.
func TestThePaceIsThatOfNow(t *testing.T) {
	var all steps
	st := all.start(event.StepStarted{Step: "build"}, began)
	at, done := began, int64(0)
	for ; done < 100; done++ { // one a second
		st.advance(event.StepProgress{Done: done, Total: 1000}, at)
		at = at.Add(time.Second)
	}
	for ; done < 400; done += 10 {
		st.advance(event.StepProgress{Done: done, Total: 1000}, at)
		at = at.Add(time.Second)
	}
	st.advance(event.StepProgress{Done: done, Total: 1000}, at)
	if got := st.remaining(at); got != 60*time.Second {
		t.Errorf("%s are left, want a minute", got)
	}
	st.advance(event.StepProgress{Done: 0, Total: 50}, at) // another count
	if got := st.remaining(at.Add(time.Minute)); got != 0 {
		t.Errorf("%s are left of what has just begun", got)
	}
}
