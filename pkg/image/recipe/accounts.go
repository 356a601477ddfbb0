package recipe

import (
	"bytes"
	"fmt"
	"strings"
)

// accountFiles returns the account files of a root file system with users
// added who are not there yet.
func accountFiles(root tree, users []userSpec) (tree, error) {
	t := tree{}
	for name, line := range map[string]func(userSpec) string{
		"etc/passwd": func(u userSpec) string {
			return fmt.Sprintf("%s:x:%d:%d::%s:%s\n", u.Name, u.ID, u.ID, u.Home, u.Shell)
		},
		"etc/group":  func(u userSpec) string { return fmt.Sprintf("%s:x:%d:\n", u.Name, u.ID) },
		"etc/shadow": func(u userSpec) string { return fmt.Sprintf("%s:!:::::::\n", u.Name) },
	} {
		if _, ok := root[name]; !ok && name == "etc/shadow" {
			continue // Debian makes it with the first package that needs it
		}
		content, err := root.read(name)
		if err != nil {
			return nil, fmt.Errorf("adding users: %w", err)
		}
		if len(content) > 0 && !bytes.HasSuffix(content, []byte("\n")) {
			content = append(content, '\n')
		}
		for _, u := range users {
			if !hasAccount(content, u.Name) {
				content = append(content, line(u)...)
			}
		}
		n := fileNode(root[name].header.Mode, content)
		n.header.Uid, n.header.Gid = root[name].header.Uid, root[name].header.Gid
		t[name] = n
	}
	return t, nil
}

func hasAccount(content []byte, name string) bool {
	for line := range strings.Lines(string(content)) {
		if strings.HasPrefix(line, name+":") {
			return true
		}
	}
	return false
}
