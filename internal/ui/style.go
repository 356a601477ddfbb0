package ui

import (
	"hash/fnv"
	"io"
	"os"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
)

// palette has the colours of a terminal's own theme, so that text is legible
// on any background. The zero palette has none.
type palette struct {
	r *lipgloss.Renderer
	// taken are the colours of services, by name.
	taken map[string]int
}

// newPalette returns the colours for a terminal, or none with NO_COLOR.
func newPalette(w io.Writer) *palette {
	if os.Getenv("NO_COLOR") != "" {
		return &palette{}
	}
	return &palette{r: lipgloss.NewRenderer(w, termenv.WithProfile(termenv.ANSI), termenv.WithTTY(true)), taken: map[string]int{}}
}

// noColour is the palette of plain lines.
func noColour() *palette { return &palette{} }

func (p *palette) paint(text string, code string, bold bool) string {
	if p.r == nil || text == "" {
		return text
	}
	s := p.r.NewStyle().Bold(bold)
	if code != "" {
		s = s.Foreground(lipgloss.Color(code))
	}
	return s.Render(text)
}

// The codes are those of the sixteen ANSI colours.
func (p *palette) green(s string) string  { return p.paint(s, "2", false) }
func (p *palette) red(s string) string    { return p.paint(s, "1", false) }
func (p *palette) yellow(s string) string { return p.paint(s, "3", false) }
func (p *palette) cyan(s string) string   { return p.paint(s, "6", false) }
func (p *palette) bold(s string) string   { return p.paint(s, "", true) }

func (p *palette) dim(text string) string {
	if p.r == nil || text == "" {
		return text
	}
	return p.r.NewStyle().Faint(true).Render(text)
}

// serviceColours leave out red, which means failure, and black and white,
// one of which is the background.
var serviceColours = []string{"6", "2", "5", "4", "3", "14", "10", "13", "12", "11"}

// service paints a text in the colour of a service: the same one in every
// run, unless another service has it already.
func (p *palette) service(name, text string) string {
	if p.r == nil {
		return text
	}
	n, ok := p.taken[name]
	if !ok {
		n = p.free(name)
		p.taken[name] = n
	}
	return p.paint(text, serviceColours[n], false)
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
