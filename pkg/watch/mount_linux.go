package watch

import (
	"bufio"
	"os"
	"strings"
)

// sharedKinds are file systems that others write to without this kernel being
// told: events come for what is saved on this machine only. In a virtual
// machine or a dev container that is the usual place of the sources.
var sharedKinds = map[string]bool{
	"9p": true, "afs": true, "ceph": true, "cifs": true, "coda": true, "drvfs": true, "gfs2": true,
	"glusterfs": true, "lustre": true, "ncpfs": true, "nfs": true, "nfs4": true, "ocfs2": true, "prl_fs": true,
	"prl_fs_psf": true, "smb3": true, "smbfs": true, "vboxsf": true, "virtiofs": true, "vmhgfs": true,
	"fuse.gcsfuse": true, "fuse.glusterfs": true, "fuse.grpcfuse": true, "fuse.osxfs": true, "fuse.rclone": true,
	"fuse.s3fs": true, "fuse.sshfs": true, "fuse.vmhgfs-fuse": true, "fakeowner": true,
}

// sharedMount returns the kind of the file system that a real path is on, and
// whether others may write to it unnoticed.
func sharedMount(path string) (kind string, shared bool) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return "", false // no /proc: nothing is known, so trust the events
	}
	defer f.Close()
	longest := -1
	for scan := bufio.NewScanner(f); scan.Scan(); {
		point, fs, ok := parseMount(scan.Text())
		// Later lines are mounted over earlier ones.
		if ok && within(path, strings.TrimSuffix(point, "/")) && len(point) >= longest {
			longest, kind = len(point), fs
		}
	}
	return kind, sharedKinds[kind]
}

// parseMount reads the mount point and the kind from a line such as
// "36 35 98:0 / /mnt rw,noatime shared:1 - ext4 /dev/root rw", see
// proc_pid_mountinfo(5).
func parseMount(line string) (point, kind string, ok bool) {
	before, after, ok := strings.Cut(line, " - ")
	fields := strings.Fields(before)
	if !ok || len(fields) < 5 {
		return "", "", false
	}
	kind, _, _ = strings.Cut(after, " ")
	return unescape.Replace(fields[4]), kind, true
}

// unescape undoes how mountinfo writes blanks and backslashes.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
