package engine

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"zr/pkg/event"
	"zr/pkg/fault"
)

// Step is the name under which Install emits event.StepProgress.
const Step = "engine"

// packages make podman work on Debian and Ubuntu. podman itself only
// recommends the network stack (netavark, its DNS server, and the iptables
// that it calls) and the init process that some images ask for. runc is there
// for machines with cgroups of version 1, which crun refuses.
var packages = []string{"podman", "runc", "netavark", "aardvark-dns", "catatonit", "iptables"}

// olderPackages are what podman uses where netavark is not packaged yet
// (Ubuntu 22.04).
var olderPackages = []string{"podman", "runc", "containernetworking-plugins", "catatonit", "iptables"}

// osRelease says which distribution this is.
const osRelease = "/etc/os-release"

// InstallCommand returns the command that installs an engine on this machine,
// or where to read about it.
func InstallCommand() string {
	if runtime.GOOS == "darwin" {
		return "brew install podman && podman machine init --rootful && podman machine start"
	}
	return installCommand(distribution(osRelease), os.Geteuid() == 0)
}

// installCommands are those of the distributions that have another packager
// than apt-get, by their ID.
var installCommands = map[string]string{
	"fedora": "dnf install -y podman",
	"rhel":   "dnf install -y podman",
	"arch":   "pacman -S --needed podman aardvark-dns",
	"suse":   "zypper install -y podman",
	"alpine": "apk add podman",
}

func installCommand(ids []string, root bool) string {
	sudo := "sudo "
	if root {
		sudo = ""
	}
	for _, id := range ids {
		if debianLike([]string{id}) {
			lean := "--no-install-recommends "
			if !root {
				lean = "" // what podman recommends is what it needs to run without root
			}
			return sudo + "apt-get update && " + sudo + "apt-get install -y " + lean + strings.Join(aptPackages(), " ")
		}
		if command, ok := installCommands[id]; ok {
			return sudo + command
		}
	}
	return "use this system's package manager to install podman (https://podman.io/docs/installation), then run zr again"
}

// aptPackages are those of this machine's release, as far as its lists say.
func aptPackages() []string {
	has := func(name string) bool { return exec.Command("apt-cache", "show", name).Run() == nil }
	if has("podman") && !has("netavark") {
		return olderPackages
	}
	return packages
}

// CanInstall says whether Install can work: as root on Debian, Ubuntu and
// what is made from them.
func CanInstall() bool { return os.Geteuid() == 0 && debianLike(distribution(osRelease)) }

// Install installs podman with apt-get. The caller is root.
func Install(ctx context.Context, sink event.Sink) error {
	if !CanInstall() {
		return fault.Hint(errors.New("installing podman: zr can only do that as root on Debian or Ubuntu"), InstallCommand())
	}
	if err := apt(ctx, sink, "update"); err != nil {
		return err
	}
	return apt(ctx, sink, append([]string{"install", "-y", "--no-install-recommends"}, aptPackages()...)...)
}

// apt runs apt-get and shows its lines as progress. What it said is in the
// error.
func apt(ctx context.Context, sink event.Sink, args ...string) error {
	// Another apt may be at work, as right after the boot of a cloud machine.
	cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-q", "-o", "DPkg::Lock::Timeout=120"}, args...)...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	cmd.WaitDelay = killDelay
	said := new(bytes.Buffer)
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	done := make(chan struct{})
	go func() {
		defer close(done)
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			said.WriteString(lines.Text() + "\n")
			sink.Emit(event.StepProgress{Step: Step, Detail: lines.Text()})
		}
		_, _ = io.Copy(io.Discard, r) // a line too long for the scanner must not block apt
	}()
	err := cmd.Run()
	w.Close()
	<-done
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return fault.Hint(fmt.Errorf("installing podman: apt-get %s: %w: %s", args[0], err, tail(said.String(), 5)),
		"fix what apt says, then run: "+InstallCommand())
}

// tail returns the last n lines of text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// distribution returns the ID of an os-release file and those that it is like.
func distribution(path string) (ids []string) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	values := map[string]string{}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		values[key] = strings.Trim(value, `"'`)
	}
	return strings.Fields(values["ID"] + " " + values["ID_LIKE"])
}

func debianLike(ids []string) bool {
	return slices.Contains(ids, "debian") || slices.Contains(ids, "ubuntu")
}
