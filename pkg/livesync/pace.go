package livesync

import (
	"sync"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"zr/pkg/agentspec/wire"
)

// pace measures the way to the container and this machine's compressors, and
// chooses how bytes travel: as they are over a fast network, compressed over one
// that is slower than the compressor. It is safe for concurrent use.
type pace struct {
	mu    sync.Mutex
	rate  float64 // bytes per second that the way to the container takes
	cores float64 // that compress at once

	since time.Time // when the way was last found empty
	from  uint64    // bytes that had arrived then

	codecs [2][2]codec // for bytes, and for patches
}

// Patches are mostly the same small differences over and over, and pack better
// than the programs that they make.
const (
	ofBytes = iota
	ofPatches
)

// codec is what was seen of one compressor, as a moving average.
type codec struct {
	op    wire.Op
	speed float64 // bytes of input per second and core
	ratio float64 // bytes of output per byte of input
}

// The figures to begin with: a port-forward on one machine, and a Go binary on
// a core of 2020 or later. Every transfer corrects them.
const (
	firstRate  = 150e6
	s2Speed    = 600e6
	s2Ratio    = 0.56
	zstdSpeed  = 200e6
	zstdRatio  = 0.43
	s2Patch    = 0.35
	zstdPatch  = 0.27
	forgetting = 0.25 // weight of the newest observation
	// minSample is what has to arrive for the rate to be worth a look.
	minSample = 256 << 10
	// The window bounds what is on its way, and with that how long a newer
	// change waits behind one that was cancelled: windowTime's worth, within
	// bounds.
	windowTime = 50 * time.Millisecond
	minWindow  = 1 << 20
	maxWindow  = 8 << 20
	// notSmaller is the ratio from which a compressed chunk is not worth the
	// work of expanding it.
	notSmaller = 0.95
)

func newPace(cores int) *pace {
	return &pace{
		rate:  firstRate,
		cores: float64(cores),
		codecs: [2][2]codec{
			{{wire.OpS2, s2Speed, s2Ratio}, {wire.OpZstd, zstdSpeed, zstdRatio}},
			{{wire.OpS2, s2Speed, s2Patch}, {wire.OpZstd, zstdSpeed, zstdPatch}},
		},
	}
}

func (p *pace) begin(at uint64, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.from, p.since = at, now
}

// arrived notes how many bytes the other side has read.
func (p *pace) arrived(at uint64, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, took := at-p.from, now.Sub(p.since)
	if n < minSample || took <= 0 {
		return
	}
	p.rate += forgetting * (float64(n)/took.Seconds() - p.rate)
	p.from, p.since = at, now
}

func (p *pace) window() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return uint64(min(max(p.rate*windowTime.Seconds(), minWindow), maxWindow))
}

// choose returns the way to send that takes the least time. Compressing and
// sending count as if they did not overlap: where the link is fast enough for
// that to matter, it is this machine's cores that carry the bytes.
func (p *pace) choose(kind int) wire.Op {
	p.mu.Lock()
	defer p.mu.Unlock()
	best, least := wire.OpRaw, 1/p.rate
	for _, c := range p.codecs[kind] {
		if t := 1/(c.speed*p.cores) + c.ratio/p.rate; t < least {
			best, least = c.op, t
		}
	}
	return best
}

func (p *pace) learn(kind int, op wire.Op, in, out int, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.codecs[kind] {
		c := &p.codecs[kind][i]
		if c.op == op && took > 0 {
			c.speed += forgetting * (float64(in)/took.Seconds() - c.speed)
			c.ratio += forgetting * (float64(out)/float64(in) - c.ratio)
		}
	}
}

// compressor is stateless in EncodeAll and safe for concurrent use.
var compressor = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false))
	if err != nil {
		panic(err) // the options are constants
	}
	return e
})

// pack returns body, which is of the given kind, in the form that suits the
// way best. The result may share memory with body or buf.
func (p *pace) pack(kind int, body, buf []byte) (wire.Op, []byte) {
	op := p.choose(kind)
	if op == wire.OpRaw || len(body) < wire.LeafSize {
		return wire.OpRaw, body
	}
	begin := time.Now()
	var out []byte
	if op == wire.OpS2 {
		out = s2.Encode(buf[:cap(buf)], body)
	} else {
		out = compressor().EncodeAll(body, buf[:0])
	}
	p.learn(kind, op, len(body), len(out), time.Since(begin))
	if float64(len(out)) > notSmaller*float64(len(body)) {
		return wire.OpRaw, body
	}
	return op, out
}
