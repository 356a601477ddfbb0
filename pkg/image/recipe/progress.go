package recipe

import (
	"sync"
	"time"

	"zr/pkg/event"
)

// progress adds up what several sources of one image do at the same time.
// Everything counts in packages: compiled, installed, downloaded.
type progress struct {
	sink event.Sink
	step string

	mu    sync.Mutex
	parts map[string]count
	last  time.Time
}

type count struct{ done, total int64 }

// progressEvery bounds how often the sink hears of progress: a fast machine
// compiles hundreds of packages a second, and nobody reads faster than this.
const progressEvery = 100 * time.Millisecond

func newProgress(sink event.Sink, step string) *progress {
	return &progress{sink: sink, step: step, parts: map[string]count{}}
}

// set says how far one part is, and what is being worked on.
func (p *progress) set(part string, done, total int64, detail string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := p.parts[part].total != total
	p.parts[part] = count{done, max(done, total)}
	if !first && done < total && time.Since(p.last) < progressEvery {
		return
	}
	p.emit(detail)
}

// detail says what is being worked on where nothing is counted.
func (p *progress) detail(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.emit(text)
}

func (p *progress) emit(detail string) {
	var sum count
	for _, c := range p.parts {
		sum.done += c.done
		sum.total += c.total
	}
	p.last = time.Now()
	p.sink.Emit(event.StepProgress{Step: p.step, Done: sum.done, Total: sum.total, Unit: "packages", Detail: detail})
}
