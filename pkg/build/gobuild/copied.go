package gobuild

import (
	"bytes"
	"encoding/json"
	"path"
	"slices"
	"strings"
)

// copied is a COPY or ADD of files of the build context, in the last stage of a
// Dockerfile.
type copied struct {
	from []string // paths or patterns below the context
	to   string   // below the stage's working folder; a trailing slash or "." means a folder
}

// copies reads what the last stage of a Dockerfile copies from its context to its
// working folder or below it. What comes from other stages, images or URLs, and
// what goes elsewhere, is left out; so is a name with a variable whose value the
// Dockerfile does not give.
func copies(dockerfile []byte) (all []copied) {
	workDir, vars := "/", map[string]string{}
	for _, line := range instructions(dockerfile) {
		verb, rest, _ := strings.Cut(line, " ")
		rest = strings.TrimSpace(rest)
		switch strings.ToUpper(verb) {
		case "FROM":
			all, workDir = nil, "/"
		case "ARG", "ENV":
			define(vars, rest)
		case "WORKDIR":
			if dir, ok := expand(strings.Trim(rest, `"'`), vars); ok && path.IsAbs(dir) {
				workDir = path.Clean(dir)
			} else if ok {
				workDir = path.Join(workDir, dir)
			}
		case "COPY", "ADD":
			if c, ok := parseCopy(rest, vars, workDir); ok {
				all = append(all, c)
			}
		}
	}
	return all
}

// instructions are the lines of a Dockerfile, each whole, without comments and
// without the bodies of here-documents.
func instructions(dockerfile []byte) (lines []string) {
	escape := `\`
	var open string   // an instruction that goes on
	var ends []string // of the here-documents that are open
	for i, raw := range strings.Split(string(bytes.ReplaceAll(dockerfile, []byte("\r\n"), []byte("\n"))), "\n") {
		line := strings.TrimSpace(raw)
		switch {
		case len(ends) > 0:
			if strings.TrimLeft(raw, "\t") == ends[0] {
				ends = ends[1:]
			}
			continue
		case strings.HasPrefix(line, "#"):
			if value, ok := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(line, " ", "")), "#escape="); ok && i < 3 {
				escape = value
			}
			continue
		case line == "":
			continue
		}
		if before, goesOn := strings.CutSuffix(line, escape); goesOn {
			open += before + " "
			continue
		}
		line = strings.Join(strings.Fields(open+line), " ")
		open = ""
		ends = hereDocuments(line)
		lines = append(lines, line)
	}
	return append(lines, strings.Fields(open)...)
}

// hereDocuments returns the words that end the here-documents of an instruction.
func hereDocuments(line string) (ends []string) {
	verb, _, _ := strings.Cut(line, " ")
	if !slices.Contains([]string{"RUN", "COPY", "ADD"}, strings.ToUpper(verb)) {
		return nil
	}
	for _, word := range strings.Fields(line) {
		if _, end, ok := strings.Cut(word, "<<"); ok && !strings.HasPrefix(end, "<") {
			if end = strings.Trim(strings.TrimPrefix(end, "-"), `"'`); end != "" {
				ends = append(ends, end)
			}
		}
	}
	return ends
}

// define notes the values that ARG and ENV give: NAME=value, any number of them,
// or NAME value.
func define(vars map[string]string, rest string) {
	if name, value, ok := strings.Cut(rest, " "); ok && !strings.Contains(name, "=") {
		vars[name] = strings.Trim(value, `"'`)
		return
	}
	for _, word := range strings.Fields(rest) {
		if name, value, ok := strings.Cut(word, "="); ok {
			if value, ok = expand(strings.Trim(value, `"'`), vars); ok {
				vars[name] = value
			}
		}
	}
}

// expand puts in the values of variables, and says whether all are known.
func expand(text string, vars map[string]string) (string, bool) {
	var out strings.Builder
	for {
		before, after, ok := strings.Cut(text, "$")
		out.WriteString(before)
		if !ok {
			return out.String(), true
		}
		name, rest := after, ""
		if braced, isBraced := strings.CutPrefix(after, "{"); isBraced {
			if name, rest, ok = strings.Cut(braced, "}"); !ok {
				return "", false
			}
		} else if end := strings.IndexFunc(after, func(r rune) bool {
			return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
		}); end >= 0 {
			name, rest = after[:end], after[end:]
		}
		value, known := vars[name]
		if !known {
			return "", false
		}
		out.WriteString(value)
		text = rest
	}
}

func parseCopy(rest string, vars map[string]string, workDir string) (copied, bool) {
	for strings.HasPrefix(rest, "--") {
		flag, after, _ := strings.Cut(rest, " ")
		if strings.HasPrefix(flag, "--from") || strings.HasPrefix(flag, "--parents") {
			return copied{}, false
		}
		rest = after
	}
	words := strings.Fields(rest)
	if strings.HasPrefix(rest, "[") {
		if json.Unmarshal([]byte(rest), &words) != nil {
			return copied{}, false
		}
	}
	if len(words) < 2 {
		return copied{}, false
	}
	for i, word := range words {
		value, ok := expand(strings.Trim(word, `"'`), vars)
		if !ok || strings.Contains(value, "://") || strings.HasPrefix(value, "<<") {
			return copied{}, false
		}
		words[i] = value
	}
	to := words[len(words)-1]
	folder := strings.HasSuffix(to, "/") || len(words) > 2 || to == "." || path.Clean(to) == workDir
	if path.IsAbs(to) {
		below, ok := strings.CutPrefix(path.Clean(to)+"/", strings.TrimSuffix(workDir, "/")+"/")
		if !ok {
			return copied{}, false
		}
		to = below
	}
	if to = path.Clean(to); strings.HasPrefix(to, "..") {
		return copied{}, false
	}
	if folder {
		to += "/"
	}
	c := copied{to: to}
	for _, from := range words[:len(words)-1] {
		if from = strings.TrimPrefix(path.Clean("/"+from), "/"); from == "" {
			from = "."
		}
		c.from = append(c.from, from)
	}
	return c, true
}
