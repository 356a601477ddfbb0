package proposal

import (
	"fmt"
	"regexp"
	"strconv"
)

// listens are the ways in which sources say their port, the surest first: what listens,
// what is set where nothing else is, what is called a port, and last an address that
// is nobody else's. The group is the port.
var listens = []struct {
	form  *regexp.Regexp
	words string
}{
	{regexp.MustCompile(`(?im)^[ \t]*EXPOSE[ \t]+(?:\d+/udp[ \t]+)*(\d{2,5})(?:/tcp)?(?:[ \t\r]|$)`), "EXPOSE in its Dockerfile"},
	{regexp.MustCompile(`(?:^|[\s"'])(?:--port|-p|--bind|-b)["',=\s]+(?:[\w.]+:)?(\d{2,5})\b`), "a flag of what starts it"},
	{regexp.MustCompile(`(?:ListenAndServe(?:TLS)?|\bListen|\.(?:Run|Start))\(\s*(?:\w+,\s*)?(?:"tcp[46]?",\s*)?"[\w.]*:(\d{2,5})"`), "the address that it listens at"},
	{regexp.MustCompile(`\b(?:listen|serve|run)\([^()\n]{0,60}?\bport["']?\s*[:=]\s*(\d{2,5})\b`), "the port that it listens at"},
	{regexp.MustCompile(`\blisten\(\s*(?:[\w.]+\s*(?:\?\?|\|\|)\s*)?(\d{2,5})\b`), "the port that it listens at"},
	{regexp.MustCompile(`PORT\b[^\n]{0,20}?(?:\?\?|\|\||,)\s*["']?:?(\d{2,5})\b`), "what it takes where PORT is not set"},
	{regexp.MustCompile(`(?i)\(\s*(?:&[\w.]+,\s*)?"[\w.-]*(?:addr|address|port|listen)",\s*"?(?:[\w.]*:)?(\d{2,5})\b`), "the default of a flag"},
	{regexp.MustCompile(`(?i)\b(?:http)?_?port\b\s*(?::\s*number\s*|\w+\s*)?:?=\s*["'\x60]?:?(\d{2,5})\b`), "what it calls its port"},
	{regexp.MustCompile(`"(?:0\.0\.0\.0|\[::\])?:(\d{2,5})"`), "an address in its sources"},
}

// The port of a Next.js project that says none, and the one that is guessed.
const (
	nextPort  = 3000
	guessPort = 8080
)

var nextJS = regexp.MustCompile(`"next"\s*:`)

// local is an address that nobody outside of its pod reaches.
var local = regexp.MustCompile(`localhost:|127\.0\.0\.1:`)

// portOf is where a service of a kind listens, as far as its sources say, and what in them
// says so. The words are empty for a guess.
func portOf(kind, sources string) (port int, words string) {
	for _, way := range listens {
		for _, m := range way.form.FindAllStringSubmatch(sources, -1) {
			at, err := strconv.Atoi(m[1])
			if err != nil || at == 0 || at >= 1<<16 || at == port {
				continue
			}
			if port != 0 {
				return port, fmt.Sprintf("%s, where %d is, too", words, at)
			}
			port, words = at, way.words
			if local.MatchString(m[0]) {
				words += ", which only its own pod reaches"
			}
		}
		if port > 0 {
			return port, words
		}
	}
	if kind == "node" && nextJS.MatchString(sources) {
		return nextPort, "the default of Next.js"
	}
	return guessPort, ""
}
