package recipe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"zr/pkg/event"
	"zr/pkg/fault"
)

// hostRelease returns ID and ID_LIKE of /etc/os-release.
func hostRelease() []string {
	file, err := os.Open("/etc/os-release")
	if err != nil {
		return nil
	}
	defer file.Close()
	var ids []string
	for s := bufio.NewScanner(file); s.Scan(); {
		key, value, _ := strings.Cut(s.Text(), "=")
		if key == "ID" || key == "ID_LIKE" {
			ids = append(ids, strings.Fields(strings.Trim(value, `"`))...)
		}
	}
	return ids
}

// mmdebstrapPackages are what making a root file system needs. Ubuntu does not
// have Debian's keyring by itself.
var mmdebstrapPackages = []string{"mmdebstrap", "debian-archive-keyring"}

// ensureMmdebstrap installs mmdebstrap where that can be done without asking:
// as root on Debian or a system made from it.
func (b *builder) ensureMmdebstrap(ctx context.Context) error {
	unlock, err := b.cache.lockPart(ctx, "tools")
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := exec.LookPath("mmdebstrap"); err == nil {
		return nil
	}
	install, err := installCommand(hostRelease(), os.Geteuid() == 0)
	if err != nil {
		return err
	}
	b.Sink.Emit(event.Notice{Text: "installing mmdebstrap, which makes root file systems from Debian packages", Hint: strings.Join(install, " ")})
	aptGet := func(args ...string) error {
		return run(ctx, command{name: "apt-get", args: args, env: []string{"DEBIAN_FRONTEND=noninteractive"}})
	}
	if aptGet(install[1:]...) == nil {
		return nil
	}
	// The lists of a fresh machine are empty or old.
	if err := aptGet("update"); err != nil {
		return fmt.Errorf("updating the package lists: %w", err)
	}
	if err := aptGet(install[1:]...); err != nil {
		return fault.Hint(fmt.Errorf("installing mmdebstrap: %w", err), "apt-get update && "+strings.Join(install, " "))
	}
	return nil
}

// installCommand returns the command that installs mmdebstrap on a system of
// this kind, or a fault that says what its user has to do.
func installCommand(ids []string, root bool) ([]string, error) {
	missing := errors.New("mmdebstrap, which makes root file systems from Debian packages, is not installed")
	if !slices.Contains(ids, "debian") && !slices.Contains(ids, "ubuntu") {
		return nil, fault.Hint(missing, "install "+strings.Join(mmdebstrapPackages, " and ")+
			", or connect to a registry once so that the image can be pulled")
	}
	install := append([]string{"apt-get", "install", "-y", "--no-install-recommends"}, mmdebstrapPackages...)
	if !root {
		// Who is not root makes a root file system in a user namespace.
		return nil, fault.Hint(missing, "sudo apt-get update && sudo "+strings.Join(install, " ")+" uidmap")
	}
	return install, nil
}

// hostMirrors returns the apt sources of this machine that have a suite of
// Debian, so that a mirror which the machine was set up to use is used here
// too. It returns none where this is another system; mmdebstrap then knows
// Debian's own.
func hostMirrors(ctx context.Context, suite string) ([]string, error) {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return nil, nil
	}
	out, err := exec.CommandContext(ctx, "apt-get", "indextargets",
		"--format", "$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)", "Created-By: Packages").Output()
	if err != nil {
		return nil, ctx.Err() // an apt without lists: the default will do
	}
	return parseMirrors(string(out), suite), nil
}

func parseMirrors(targets, suite string) []string {
	var sources []string
	hasSuite := false
	for line := range strings.Lines(targets) {
		f := strings.Split(strings.TrimSpace(line), "|")
		if len(f) != 4 || f[0] != "Debian" || f[3] != "main" {
			continue
		}
		if f[2] != suite && f[2] != suite+"-updates" && f[2] != suite+"-security" {
			continue
		}
		hasSuite = hasSuite || f[2] == suite
		sources = append(sources, fmt.Sprintf("deb %s %s main", f[1], f[2]))
	}
	if !hasSuite {
		return nil
	}
	slices.Sort(sources)
	return slices.Compact(sources)
}
