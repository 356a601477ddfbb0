package ui

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// Duration writes a duration for people: 340 ms, 1.2 s, 2m05s, 1h02m.
func Duration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "<1 ms"
	case d < 999500*time.Microsecond: // would be rounded to 1000 ms
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
	case d < 59950*time.Millisecond:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour-500*time.Millisecond:
		d = d.Round(time.Second)
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// left writes how long something still takes, in whole seconds.
func left(d time.Duration) string {
	d = max(0, d+time.Second-1).Truncate(time.Second)
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return Duration(d)
}

// Bytes writes a size for people: 512 B, 1.5 KiB, 120 MiB.
func Bytes(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB"} {
		value /= 1024
		if value < 1023.5 {
			break
		}
	}
	if value < 9.95 {
		return fmt.Sprintf("%.1f %s", value, unit)
	}
	return fmt.Sprintf("%.0f %s", value, unit)
}

// amount writes a count of a unit: "12 packages", "1.5 MiB".
func amount(n int64, unit string) string {
	switch {
	case unit == "bytes":
		return Bytes(n)
	case unit == "":
		return fmt.Sprint(n)
	case n == 1:
		return "1 " + strings.TrimSuffix(unit, "s")
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// ofTotal writes how much of a total: "12 of 230 packages".
func ofTotal(done, total int64, unit string) string {
	if unit == "bytes" {
		return Bytes(done) + " of " + Bytes(total)
	}
	return fmt.Sprintf("%d of %s", done, amount(total, unit))
}

// firstLine returns the first line of a text, and whether there is more.
func firstLine(text string) (string, bool) {
	first, rest, more := strings.Cut(strings.TrimSpace(text), "\n")
	return strings.TrimRight(first, " \r"), more && rest != ""
}

// fit cuts a line to a display width. It may hold colours.
func fit(line string, width int) string {
	if width <= 0 {
		return line
	}
	return ansi.Truncate(line, width, "…")
}

// pad fills a text with blanks to a display width.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-ansi.StringWidth(text)))
}

// plainText removes what a terminal would obey from a text that comes from
// elsewhere: a compiler, a server. Line ends stay.
func plainText(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if r < 0x20 || r >= 0x7f && r < 0xa0 || turns(r) {
			return -1
		}
		return r
	}, ansi.Strip(text))
}

// turns says whether a character has a terminal show what follows it from right
// to left, which makes one text look like another.
func turns(r rune) bool { return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 }

// oneLine is plainText for a name, such as that of a file, which stays on its line.
func oneLine(name string) string {
	return plainText(strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(name))
}
