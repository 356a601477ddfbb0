package watch

import (
	"os"
	"testing"
)

func TestParseMount(t *testing.T) {
	for line, want := range map[string][2]string{
		"36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue": {"/mnt2", "ext3"},
		"40 1 0:33 / /with\\040blank rw - nfs4 server:/x rw":                             {"/with blank", "nfs4"},
		"41 1 0:34 / / rw - fuse.sshfs host: rw":                                         {"/", "fuse.sshfs"},
		"nonsense":                                                                       {"", ""},
	} {
		if point, kind, ok := parseMount(line); point != want[0] || kind != want[1] || ok != (want[0] != "") {
			t.Errorf("%s: got %q %q %v", line, point, kind, ok)
		}
	}
}

func TestSharedMount(t *testing.T) {
	if kind, shared := sharedMount("/proc/self"); kind != "proc" || shared {
		t.Errorf("/proc is %q, shared %v", kind, shared)
	}
	if kind, _ := sharedMount(os.TempDir()); kind == "" {
		t.Error("the temporary folder is on no file system")
	}
}
