// Package background keeps bubbletea from asking the terminal for its background.
// It does that in its init, in every run of a program that it is linked into: a
// terminal that does not answer costs five seconds, and any other sees the
// question among the output and loses what was typed ahead. zr has no colours
// that depend on the answer.
//
// Packages that may be initialised are, in the order of their import paths. This
// is a module of its own because its path must come before bubbletea's.
package background

import "github.com/charmbracelet/lipgloss"

func init() { lipgloss.SetHasDarkBackground(true) }
