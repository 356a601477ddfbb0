package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"zr/pkg/build/internal/proc"
	"zr/pkg/fault"
)

// install is a node_modules folder, as a function of what it is made from.
type install struct {
	project  *project
	platform string // of the packages with native parts
	prod     bool   // without devDependencies
}

// key changes with the content of node_modules. What is compiled for one
// version of Node.js does not run with another.
func (i install) key(ctx context.Context) (string, error) {
	from, err := i.project.installInputs()
	if err != nil {
		return "", err
	}
	version, err := i.project.nodeVersion(ctx)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintf(h, "npm 2\n%s\n%s\n%v\n", version, i.platform, i.prod)
	h.Write(from)
	return hex.EncodeToString(h.Sum(nil)), nil
}

// hostPlatform is the platform that this machine runs programs of.
const hostPlatform = runtime.GOOS + "/" + runtime.GOARCH

// installedNote is the file that says what node_modules beside it was made from.
const installedNote = ".zr-installed"

// install makes dir/node_modules, unless it is the right one already. A note
// beside it says what it was made from; it is removed before anything is
// touched, so that an install that was cut off is not believed.
func (j *job) install(ctx context.Context, i install, dir string) error {
	key, err := i.key(ctx)
	if err != nil {
		return err
	}
	note := filepath.Join(dir, installedNote)
	if kept, err := os.ReadFile(note); err == nil && string(kept) == key {
		return nil
	}
	if err := os.Remove(note); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := i.project.writeInstallFiles(dir); err != nil {
		return err
	}
	j.deps.Doing(j.Service, "installing packages")
	if err := i.npm(ctx, dir, j.deps.Notice); err != nil {
		return err
	}
	return os.WriteFile(note, []byte(key), 0o644)
}

// npm installs by the lock file. `npm ci` is tried first. It refuses lock
// files that lack entries of optional packages for other platforms, which npm
// itself writes where a registry does not serve them; `npm install` takes the
// same versions from such a lock file and is content. That the lock file fits
// package.json was made sure of before.
func (i install) npm(ctx context.Context, dir string, notice func(text, hint string)) error {
	if _, err := exec.LookPath("npm"); err != nil {
		return fault.Hint(fmt.Errorf("finding npm: %w", err), "install Node.js 20 or newer with npm")
	}
	flags := []string{"--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"}
	if i.prod {
		flags = append(flags, "--omit=dev")
	}
	if i.platform != hostPlatform {
		goos, arch, _ := strings.Cut(i.platform, "/")
		// Scripts would run, or build, for this machine.
		flags = append(flags, "--os="+goos, "--cpu="+npmArch(arch), "--libc=glibc", "--ignore-scripts")
	}
	credentials := variables(i.project.npmrc, userConfig())
	err := npm(dir, credentials, append([]string{"ci"}, flags...)...).Run(ctx)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if second := npm(dir, credentials, append([]string{"install", "--no-save"}, flags...)...).Run(ctx); second != nil {
		return second
	}
	notice(fmt.Sprintf("`npm ci` does not take %s as it is; `npm install` installed the versions that it names", i.project.lockName), "")
	return nil
}

// npmArch is Node's name of an architecture.
func npmArch(arch string) string {
	switch arch, _, _ = strings.Cut(arch, "/"); arch {
	case "amd64":
		return "x64"
	case "386":
		return "ia32"
	}
	return arch
}

func npm(dir string, env []string, args ...string) proc.Command {
	return proc.Command{Args: append([]string{"npm"}, args...), Dir: dir, Env: environment(env...), Clean: npmWords}
}

// userConfig is the user's own .npmrc, or nothing.
func userConfig() []byte {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil
	}
	config, _ := os.ReadFile(filepath.Join(home, npmConfig))
	return config
}

var variable = regexp.MustCompile(`\$\{([^}?]+)\??\}`)

// variables are those that .npmrc files take values from, such as tokens. Only
// installs get them.
func variables(npmrcs ...[]byte) (env []string) {
	for _, npmrc := range npmrcs {
		for _, match := range variable.FindAllSubmatch(npmrc, -1) {
			name := string(match[1])
			if value, ok := os.LookupEnv(name); ok {
				env = append(env, name+"="+value)
			}
		}
	}
	return env
}

// npmWords leaves out of npm's output where it put its log.
func npmWords(output string) string {
	var lines []string
	for line := range strings.Lines(output) {
		if !strings.Contains(line, "A complete log of this run") && strings.TrimSpace(line) != "npm error" {
			lines = append(lines, line)
		}
	}
	return strings.TrimSpace(strings.Join(lines, ""))
}

// passed are the variables of the user that builds get: where programs and
// caches are, and how the network is reached. All others could end up in the
// output, which is to be the same on every machine.
var passed = []string{
	"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS",
}

// environment is what builds run in.
func environment(further ...string) []string {
	env := []string{"CI=1", "NO_COLOR=1", "FORCE_COLOR=0", "LANG=C.UTF-8", "TZ=UTC", "SOURCE_DATE_EPOCH=0", "NO_UPDATE_NOTIFIER=1", "NEXT_TELEMETRY_DISABLED=1"}
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		for _, allowed := range passed {
			if name == allowed || strings.HasPrefix(strings.ToLower(name), "npm_config_") {
				env = append(env, entry)
				break
			}
		}
	}
	return append(env, further...)
}
