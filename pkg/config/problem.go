package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"zr/pkg/fault"
)

// Problem is one thing that is wrong with a file. Line and Column count from
// 1; 0 means the file as a whole.
type Problem struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Text   string `json:"text"`
	Hint   string `json:"hint,omitempty"`
}

func (p Problem) String() string {
	position := p.File
	if p.Line > 0 {
		position = fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
	if p.Hint == "" {
		return position + ": " + p.Text
	}
	return position + ": " + p.Text + " (" + p.Hint + ")"
}

// Problems is everything that is wrong, in the order of the file. As an error
// it has one line for each.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

func (ps Problems) asFault() error {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column)
	})
	hint := "nothing was touched"
	if slices.ContainsFunc(ps, func(p Problem) bool { return strings.HasSuffix(p.File, ".yaml") }) { // and not secrets
		hint += "; `zr config schema` prints what is allowed"
	}
	return fault.WithCode(ps, fault.Usage, hint)
}

var (
	yamlLine      = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// syntaxProblem turns what the YAML parser says about data into a Problem. The
// parser has the line in its text only: none where it is the first, and one
// too few where something that it expected is not there.
func syntaxProblem(file string, data []byte, err error) Problems {
	line, text := 1, err.Error()
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		text = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
			if strings.HasPrefix(text, "did not find expected") {
				line++
			}
		}
	}
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	line = min(line, len(lines)) // the end of the file is behind its last line
	column := 1 + len(lines[line-1]) - len(strings.TrimLeft(lines[line-1], " "))
	if at := offender(string(data), text); at >= 0 {
		line = 1 + strings.Count(string(data[:at]), "\n")
		column = at - strings.LastIndex(string(data[:at]), "\n")
	}
	p := Problem{File: file, Line: line, Column: column, Text: "not valid YAML: " + text}
	if strings.HasPrefix(lines[line-1][column-1:], "\t") {
		p.Hint = "indent with spaces, not with tabs"
	}
	return Problems{p}
}

// offender is the offset of what the parser complains about without any place,
// or -1.
func offender(data, text string) int {
	if m := unknownAnchor.FindStringSubmatch(text); m != nil {
		return strings.Index(data, "*"+m[1])
	}
	for at, r := range data {
		control := r < ' ' && !strings.ContainsRune("\t\n\r", r) || r == 0x7f
		if control && strings.HasPrefix(text, "control characters") || r == utf8.RuneError && strings.Contains(text, "UTF-8") {
			return at
		}
	}
	return -1
}

// Nearest returns the candidate that s was probably meant to be, or "".
func Nearest(s string, candidates []string) string {
	best, bestDistance := "", 1+max(1, len(s)/3)
	for _, c := range candidates {
		if strings.EqualFold(c, s) {
			return c
		}
		if d := distance(s, c); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	if i := slices.IndexFunc(candidates, func(c string) bool { return strings.HasPrefix(c, s) }); best == "" && len(s) > 1 && i >= 0 {
		return candidates[i] // it was cut short
	}
	return best
}

// Suggest is the hint of a name that is not among the candidates: the nearest of
// them, or otherwise.
func Suggest(otherwise, s string, candidates []string) string {
	if n := Nearest(s, candidates); n != "" {
		return fmt.Sprintf("did you mean %q?", n)
	}
	return otherwise
}

// distance is the edit distance of Levenshtein with adjacent swaps as one step.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
