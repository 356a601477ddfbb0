package gitignore

import "strings"

// IsEditorTemp knows the files that editors and tools make beside the one that
// is saved, and remove again: nobody's ignore file has all of them.
func IsEditorTemp(name string) bool {
	switch {
	case name == "4913": // vim asks with it whether it may write here
	case strings.HasSuffix(name, "~"): // vim, Emacs: backup
	case strings.HasPrefix(name, ".#"): // Emacs: lock
	case strings.HasPrefix(name, "#") && strings.HasSuffix(name, "#"): // Emacs: autosave
	case strings.HasPrefix(name, ".") && isVimSwap(name):
	case strings.HasSuffix(name, "___jb_tmp___"), strings.HasSuffix(name, "___jb_old___"): // JetBrains
	case strings.HasPrefix(name, ".goutputstream-"): // GLib: gedit, GNOME Builder
	case strings.HasSuffix(name, ".kate-swp"):
	case strings.HasPrefix(name, ".sb-"): // macOS safe save
	default:
		return false
	}
	return true
}

// isVimSwap matches .name.swp, .swo … .saa, the names vim tries in this order.
func isVimSwap(name string) bool {
	dot := strings.LastIndexByte(name, '.')
	ending := name[dot+1:]
	return dot > 0 && len(ending) == 3 && ending[0] == 's' &&
		ending[1] >= 'a' && ending[1] <= 'w' && ending[2] >= 'a' && ending[2] <= 'z' && (ending[1] == 'w' || ending[1] == 'v')
}
