package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
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
// version of Node.js does not run with another. given are the files that the
// project's scripts find beside it.
func (i install) key(ctx context.Context, given map[string]origin) (string, error) {
	from, err := i.project.installInputs()
	if err != nil {
		return "", err
	}
	version, err := i.project.nodeVersion(ctx)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintf(h, "npm 3\n%s\n%s\n%v\n", version, i.platform, i.prod)
	h.Write(from)
	for _, rel := range slices.Sorted(maps.Keys(given)) {
		fmt.Fprintf(h, "\n%q %s %v", rel, given[rel].hash, given[rel].mode&0o111 != 0)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// hostPlatform is the platform that this machine runs programs of.
const hostPlatform = runtime.GOOS + "/" + runtime.GOARCH

// install makes dir/node_modules, unless it is the right one already, and
// returns what scripts of the project made beside it. The folder holds what npm
// installs by and what those scripts may read, and nothing else: what the
// install can see is what its key says.
func (j *job) install(ctx context.Context, i install, dir string) (made map[string]origin, err error) {
	given := j.given(i.project)
	key, err := i.key(ctx, given)
	if err != nil {
		return nil, err
	}
	if made, ok := readNote(dir, key); ok {
		return made, nil
	}
	if err := os.Remove(filepath.Join(dir, installedNote)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("clearing a work copy: %w", err)
	}
	if err := mirror(given, dir); err != nil {
		return nil, err
	}
	if err := i.project.writeInstallFiles(dir); err != nil {
		return nil, err
	}
	sum := j.set.Sum()
	j.deps.Doing(j.Service, "installing packages")
	if err := i.npm(ctx, dir, j.deps.Notice); err != nil {
		return nil, err
	}
	made, err = i.project.made(dir, given)
	if err != nil {
		return nil, err
	}
	// What was saved meanwhile may be among what was copied: the build begins
	// anew, and is not to believe this install.
	if err := j.set.Refresh(ctx); err != nil || j.set.Sum() != sum {
		return made, err
	}
	return made, writeNote(dir, key, made)
}

// given are the files that the scripts of an install find, by their paths.
func (j *job) given(p *project) map[string]origin {
	folders := p.reads()
	files := j.sourceFiles()
	maps.DeleteFunc(files, func(rel string, _ origin) bool { return !isRead(folders, rel) || p.isInstallFile(rel) })
	return files
}

// npm installs by the lock file. `npm ci` is tried first. It refuses lock
// files that lack entries of optional packages for other platforms, which npm
// itself writes where a registry does not serve them; `npm install` takes the
// same versions from such a lock file and is content. That the lock file fits
// package.json was made sure of before.
//
// Scripts of the project may need what it develops with, patch-package for one.
// So everything is installed where there are any, they run, and what production
// does not need is removed after that.
func (i install) npm(ctx context.Context, dir string, notice func(text, hint string)) error {
	if _, err := exec.LookPath("npm"); err != nil {
		return fault.Hint(fmt.Errorf("finding npm: %w", err), "install Node.js 20 or newer with npm")
	}
	flags := []string{"--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"}
	scripts := len(i.project.scripts()) > 0
	if i.prod && !scripts {
		flags = append(flags, "--omit=dev")
	}
	if i.platform != hostPlatform {
		goos, arch, _ := strings.Cut(i.platform, "/")
		// Scripts of packages would run, or build, for this machine.
		flags = append(flags, "--os="+goos, "--cpu="+npmArch(arch), "--libc=glibc", "--ignore-scripts")
	}
	run := func(args ...string) error {
		return npm(dir, variables(i.project.npmrc, userConfig()), args...).Run(ctx)
	}
	if err := i.packages(ctx, run, flags, notice); err != nil {
		return err
	}
	if i.platform != hostPlatform {
		for _, name := range installScripts {
			if i.project.manifest.Scripts[name] == "" {
				continue
			}
			if err := run("run", name); err != nil {
				return err
			}
		}
	}
	if i.prod && scripts {
		return run(append([]string{"prune", "--omit=dev", "--ignore-scripts"}, flags...)...)
	}
	return nil
}

// packages has npm install them.
func (i install) packages(ctx context.Context, run func(...string) error, flags []string, notice func(text, hint string)) error {
	if i.project.lockName == "" { // there is no package either: its scripts are run
		return run(append([]string{"install", "--no-save", "--no-package-lock"}, flags...)...)
	}
	err := run(append([]string{"ci"}, flags...)...)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if second := run(append([]string{"install", "--no-save"}, flags...)...); second != nil {
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
	env := []string{"CI=1", "NO_COLOR=1", "FORCE_COLOR=0", "LANG=C.UTF-8", "TZ=UTC", "SOURCE_DATE_EPOCH=0", "HUSKY=0", "NO_UPDATE_NOTIFIER=1", "NEXT_TELEMETRY_DISABLED=1"}
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
