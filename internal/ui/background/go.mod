module before.zr/background

go 1.26.6

require github.com/charmbracelet/lipgloss v1.1.0
