package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"zr/internal/testkit"
)

// machine makes a /proc and a /sys/fs/cgroup with the given files.
func machine(t *testing.T, files map[string]string) (proc, cgroup string) {
	t.Helper()
	root := t.TempDir()
	proc, cgroup = filepath.Join(root, "proc"), filepath.Join(root, "cgroup")
	if err := os.MkdirAll(cgroup, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		testkit.WriteFile(t, filepath.Join(root, name), content)
	}
	return proc, cgroup
}

const (
	allCaps       = "Name:\tx\nCapBnd:\t000001ffffffffff\n"
	noSysResource = "Name:\tx\nCapBnd:\t000001fffeffffff\n"
	lowLimits     = `Limit                     Soft Limit           Hard Limit           Units
Max processes             96365                96365                processes
Max open files            1024                 20000                files
`
	highLimits = `Limit                     Soft Limit           Hard Limit           Units
Max processes             unlimited            unlimited            processes
Max open files            1024                 1048576              files
`
)

func TestLocalHost(t *testing.T) {
	const unified = "cgroup/cgroup.controllers"
	tests := map[string]struct {
		files map[string]string
		want  Host
		conf  string
	}{
		"ordinary": {
			files: map[string]string{unified: "cpu", "proc/self/status": allCaps, "proc/self/limits": lowLimits, "proc/sys/kernel/pid_max": "4194304\n"},
		},
		"hybrid cgroups": {
			files: map[string]string{"cgroup/unified/cgroup.controllers": "", "proc/self/status": allCaps, "proc/self/limits": lowLimits, "proc/sys/kernel/pid_max": "32768\n"},
			want:  Host{CgroupV1: true},
			conf:  "[engine]\nruntime = \"runc\"\n",
		},
		"no CAP_SYS_RESOURCE, limits that suffice": {
			files: map[string]string{unified: "cpu", "proc/self/status": noSysResource, "proc/self/limits": highLimits, "proc/sys/kernel/pid_max": "32768\n"},
			want:  Host{NoSysResource: true},
		},
		"no CAP_SYS_RESOURCE, low limits": {
			files: map[string]string{unified: "cpu", "proc/self/status": noSysResource, "proc/self/limits": lowLimits, "proc/sys/kernel/pid_max": "32768\n"},
			want:  Host{NoSysResource: true, Nofile: 20000, Nproc: 32768},
			conf:  "[containers]\ndefault_ulimits = [\"nofile=20000:20000\", \"nproc=32768:32768\"]\n",
		},
		"everything at once": {
			files: map[string]string{"proc/self/status": noSysResource, "proc/self/limits": lowLimits, "proc/sys/kernel/pid_max": "4194304\n"},
			want:  Host{CgroupV1: true, NoSysResource: true, Nofile: 20000, Nproc: 96365},
			conf:  "[containers]\ndefault_ulimits = [\"nofile=20000:20000\", \"nproc=96365:96365\"]\n[engine]\nruntime = \"runc\"\n",
		},
		"a /proc that says nothing": {
			files: map[string]string{unified: "cpu"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			proc, cgroup := machine(t, tt.files)
			got := localHost(proc, cgroup, "self")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("localHost (-want +got):\n%s", diff)
			}
			if conf := string(containersConf(got, true)); conf != tt.conf {
				t.Errorf("containers.conf:\n%s\nwant:\n%s", conf, tt.conf)
			}
		})
	}
}

func TestConfVariable(t *testing.T) {
	for version, want := range map[string]string{
		"3.4.4": "CONTAINERS_CONF", "4.3.1": "CONTAINERS_CONF", "4.5.0": "CONTAINERS_CONF_OVERRIDE",
		"5.2.1": "CONTAINERS_CONF_OVERRIDE", "": "CONTAINERS_CONF",
	} {
		if got := confVariable(version); got != want {
			t.Errorf("confVariable(%q) = %s, want %s", version, got, want)
		}
	}
}

func TestDebianLike(t *testing.T) {
	for text, want := range map[string]bool{
		"ID=debian\n":                       true,
		"ID=ubuntu\nID_LIKE=debian\n":       true,
		"ID=linuxmint\nID_LIKE=\"ubuntu\"":  true,
		"ID=\"rhel\"\nID_LIKE=\"fedora\"\n": false,
		"NAME=debian\n":                     false,
	} {
		path := filepath.Join(t.TempDir(), "os-release")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := debianLike(distribution(path)); got != want {
			t.Errorf("debianLike(%q) = %v", text, got)
		}
	}
}

func TestInstallCommand(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // no apt-cache
	for _, c := range []struct {
		ids  string
		root bool
		want string
	}{
		{"debian", true, "apt-get update && apt-get install -y --no-install-recommends podman "},
		{"ubuntu debian", false, "sudo apt-get update && sudo apt-get install -y podman "},
		{"fedora", false, "sudo dnf install -y podman"},
		{"rocky rhel centos fedora", true, "dnf install -y podman"},
		{"manjaro arch", false, "sudo pacman -S --needed podman aardvark-dns"},
		{"opensuse-tumbleweed opensuse suse", false, "sudo zypper install -y podman"},
		{"alpine", true, "apk add podman"},
		{"nixos", false, "use this system's package manager"},
	} {
		if got := installCommand(strings.Fields(c.ids), c.root); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s, root %v: %s", c.ids, c.root, got)
		}
	}
	// Ubuntu 22.04 has no netavark.
	bin := t.TempDir()
	command(t, bin, "apt-cache", `test "$2" = podman`)
	t.Setenv("PATH", bin)
	if got := installCommand([]string{"ubuntu"}, true); strings.Contains(got, "netavark") || !strings.Contains(got, "containernetworking-plugins") {
		t.Errorf("on an older release: %s", got)
	}
}
