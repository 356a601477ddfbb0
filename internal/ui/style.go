package ui

import (
	"hash/fnv"
	"os"

	"github.com/charmbracelet/x/ansi"
)

// palette has the colours of a terminal's own theme, so that text is legible
// on any background. The zero palette has none.
type palette struct {
	coloured bool
	// taken are the colours of services, by name.
	taken map[string]int
}

// newPalette returns the colours for a terminal, or none with NO_COLOR.
func newPalette() *palette {
	return &palette{coloured: os.Getenv("NO_COLOR") == "", taken: map[string]int{}}
}

// noColour is the palette of plain lines.
func noColour() *palette { return &palette{} }

func (p *palette) paint(text string, with ansi.Attr) string {
	if !p.coloured || text == "" {
		return text
	}
	return ansi.SGR(with) + text + ansi.ResetStyle
}

func (p *palette) green(s string) string  { return p.paint(s, ansi.GreenForegroundColorAttr) }
func (p *palette) red(s string) string    { return p.paint(s, ansi.RedForegroundColorAttr) }
func (p *palette) yellow(s string) string { return p.paint(s, ansi.YellowForegroundColorAttr) }
func (p *palette) cyan(s string) string   { return p.paint(s, ansi.CyanForegroundColorAttr) }
func (p *palette) bold(s string) string   { return p.paint(s, ansi.BoldAttr) }
func (p *palette) dim(s string) string    { return p.paint(s, ansi.FaintAttr) }

// serviceColours leave out red, which means failure, and black and white,
// one of which is the background.
var serviceColours = []ansi.Attr{
	ansi.CyanForegroundColorAttr, ansi.GreenForegroundColorAttr, ansi.MagentaForegroundColorAttr, ansi.BlueForegroundColorAttr, ansi.YellowForegroundColorAttr,
	ansi.BrightCyanForegroundColorAttr, ansi.BrightGreenForegroundColorAttr, ansi.BrightMagentaForegroundColorAttr, ansi.BrightBlueForegroundColorAttr, ansi.BrightYellowForegroundColorAttr,
}

// service paints a text in the colour of a service: the same one in every
// run, unless another service has it already.
func (p *palette) service(name, text string) string {
	if !p.coloured {
		return text
	}
	n, ok := p.taken[name]
	if !ok {
		n = p.free(name)
		p.taken[name] = n
	}
	return p.paint(text, serviceColours[n])
}

func (p *palette) free(name string) int {
	h := fnv.New32a()
	h.Write([]byte(name))
	first := int(h.Sum32() % uint32(len(serviceColours)))
	used := map[int]bool{}
	for _, n := range p.taken {
		used[n] = true
	}
	for i := range serviceColours {
		if n := (first + i) % len(serviceColours); !used[n] {
			return n
		}
	}
	return first
}
