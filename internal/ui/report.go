package ui

import "io"

// Report is where a verb prints what it found: texts of others in it, such as what a
// server answered or the fields of an object, do not command the terminal. Each Write
// has to end with a whole character.
func Report(w io.Writer) io.Writer { return report{w} }

type report struct{ w io.Writer }

// Write is part of io.Writer.
func (r report) Write(text []byte) (int, error) {
	if _, err := io.WriteString(r.w, plainText(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}
