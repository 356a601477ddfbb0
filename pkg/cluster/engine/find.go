package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"zr/pkg/cluster/statedir"
	"zr/pkg/fault"
)

// ErrNone says that this machine has no container engine that can be used.
var ErrNone = errors.New("no container engine")

// probeTimeout is how long an engine may take to say who it is. A daemon that
// does not answer in that time would not start a cluster either.
const probeTimeout = 10 * time.Second

// Preferred returns the engine that the environment asks for, in $ZR_ENGINE or
// in kind's own $KIND_EXPERIMENTAL_PROVIDER, or "".
func Preferred() string {
	if name := os.Getenv("ZR_ENGINE"); name != "" {
		return name
	}
	return os.Getenv("KIND_EXPERIMENTAL_PROVIDER")
}

// Find returns the engine to use: the preferred one where there is one,
// otherwise the first of docker, podman and nerdctl that runs. It asks the
// engines, which takes some 0.1 s, and half a second more where docker has yet
// to show that it starts privileged containers. The error is ErrNone with what
// is wrong with each and how to fix it.
func Find(ctx context.Context, preferred string) (Engine, error) {
	all, skipped, err := All(ctx, preferred)
	if err != nil {
		return Engine{}, err
	}
	if len(all) == 0 {
		return Engine{}, None(preferred, skipped)
	}
	return all[0], nil
}

// names are the engines, the best first.
var names = []string{Docker, Podman, Nerdctl}

// Installed says whether there is the command of an engine, whether or not it
// answers.
func Installed() bool {
	return slices.ContainsFunc(names, func(name string) bool {
		_, err := exec.LookPath(name)
		return err == nil
	})
}

// All returns every engine that can be used, the best first, and why the
// others cannot.
func All(ctx context.Context, preferred string) ([]Engine, []Skip, error) {
	names := names
	probes := map[string]func(context.Context, string) (Engine, error){
		Docker: probeDocker, Podman: probePodman, Nerdctl: probeNerdctl,
	}
	if preferred != "" {
		if probes[preferred] == nil {
			return nil, nil, fault.WithCode(fmt.Errorf("finding container engine %q: zr knows %s", preferred, strings.Join(names, ", ")),
				fault.Usage, "set ZR_ENGINE to one of these, or unset it")
		}
		names = []string{preferred}
	}
	// Each takes some 0.1 s to answer, and none needs the others.
	type answer struct {
		engine Engine
		err    error
	}
	answers := make([]answer, len(names))
	var asked sync.WaitGroup
	for i, name := range names {
		asked.Go(func() {
			path, err := exec.LookPath(name)
			if err != nil {
				answers[i].err = errors.New(NotInstalled)
				return
			}
			answers[i].engine, answers[i].err = probes[name](ctx, path)
		})
	}
	asked.Wait()
	if ctx.Err() != nil {
		return nil, nil, fmt.Errorf("finding a container engine: %w", ctx.Err())
	}
	var found []Engine
	var skipped []Skip
	for i, a := range answers {
		if a.err != nil {
			skipped = append(skipped, Skip{names[i], a.err.Error()})
			continue
		}
		a.engine.Skipped = slices.Clone(skipped)
		found = append(found, a.engine)
	}
	return found, skipped, nil
}

func probeDocker(ctx context.Context, path string) (Engine, error) {
	e := Engine{Name: Docker, Path: path}
	if out, err := e.Output(ctx, "-v"); err == nil && !strings.HasPrefix(string(out), "Docker version") {
		return e, errors.New("the command is another engine's")
	}
	var info struct {
		ID              string
		ServerVersion   string
		ServerErrors    []string
		Architecture    string
		CgroupVersion   string
		DefaultRuntime  string
		DockerRootDir   string
		SecurityOptions []string
	}
	if err := e.info(ctx, &info, "info", "--format", "{{json .}}"); err != nil {
		return e, err
	}
	if info.ServerVersion == "" {
		return e, errors.New(strings.Join(info.ServerErrors, "; "))
	}
	e.Version = info.ServerVersion
	for _, option := range info.SecurityOptions {
		e.Rootless = e.Rootless || strings.HasPrefix(option, "name=rootless")
	}
	identity := []string{info.ID, info.ServerVersion, info.DefaultRuntime}
	if pid, local := daemonPID(ctx); local {
		e.Root = info.DockerRootDir
		e.Host = localHost("/proc", "/sys/fs/cgroup", pid)
		// dockerd starts as root with its own limits raised, and gives what it has.
		e.Host.Nofile, e.Host.Nproc = 0, 0
		boot, _ := os.ReadFile(bootID)
		identity = append(identity, pid, string(boot))
	}
	e.Host.CgroupV1 = info.CgroupVersion == "1"
	return e, e.tryPrivileged(ctx, strings.Join(identity, " "), info.Architecture)
}

func probePodman(ctx context.Context, path string) (Engine, error) {
	e := Engine{Name: Podman, Path: path}
	var info struct {
		Host struct {
			CgroupVersion   string `json:"cgroupVersion"`
			NetworkBackend  string `json:"networkBackend"`
			ServiceIsRemote bool   `json:"serviceIsRemote"`
			Security        struct {
				Rootless bool `json:"rootless"`
			} `json:"security"`
		} `json:"host"`
		Store struct {
			GraphRoot string `json:"graphRoot"`
		} `json:"store"`
		Version struct {
			Version string `json:"Version"`
		} `json:"version"`
	}
	if err := e.info(ctx, &info, "info", "--format", "json"); err != nil {
		return e, err
	}
	e.Version = info.Version.Version
	e.Rootless = info.Host.Security.Rootless
	if runtime.GOOS != "linux" || info.Host.ServiceIsRemote {
		e.Host.CgroupV1 = info.Host.CgroupVersion == "v1"
		return e, nil
	}
	e.Root = info.Store.GraphRoot
	if e.Rootless {
		// A user namespace has limits of its own, and both podman and kind
		// have their own way around them.
		e.Host.CgroupV1 = info.Host.CgroupVersion == "v1"
		return e, nil
	}
	if info.Host.NetworkBackend == "netavark" && !haveFirewall() {
		// netavark itself says only "No such file or directory", when the
		// first container starts.
		return e, errors.New("its network needs iptables, which is not installed")
	}
	e.Host = localHost("/proc", "/sys/fs/cgroup", "self")
	return e.withSettings()
}

// haveFirewall says whether there is a command with which netavark can publish
// ports: iptables for all its versions, nft for the newer ones.
func haveFirewall() bool {
	for _, name := range []string{"iptables", "nft"} {
		if _, err := exec.LookPath(name); err == nil {
			return true
		}
	}
	return false
}

// withSettings gives podman the settings that the machine calls for, in a file
// of zr's own.
func (e Engine) withSettings() (Engine, error) {
	_, err := exec.LookPath("crun")
	haveCrun := err == nil
	if e.Host.CgroupV1 {
		if _, err := exec.LookPath("runc"); err != nil {
			return e, errors.New("it needs runc on a machine with cgroups of version 1 (apt-get install runc)")
		}
	}
	conf := containersConf(e.Host, haveCrun)
	if len(conf) == 0 {
		return e, nil
	}
	dir, err := statedir.Dir()
	if err != nil {
		return e, err
	}
	path := filepath.Join(dir, "containers.conf")
	if err := statedir.Write(path, conf); err != nil {
		return e, err
	}
	e.Env = append(e.Env, confVariable(e.Version)+"="+path)
	return e, nil
}

// confVariable names the variable that adds to podman's settings. Before 4.5
// there is only the one that stands in for all of them.
func confVariable(version string) string {
	var major, minor int
	if n, _ := fmt.Sscanf(version, "%d.%d", &major, &minor); n == 2 && (major > 4 || major == 4 && minor >= 5) {
		return "CONTAINERS_CONF_OVERRIDE"
	}
	return "CONTAINERS_CONF"
}

func probeNerdctl(ctx context.Context, path string) (Engine, error) {
	e := Engine{Name: Nerdctl, Path: path}
	var info struct {
		ServerVersion   string
		CgroupVersion   string
		SecurityOptions []string
	}
	if err := e.info(ctx, &info, "info", "--format", "{{json .}}"); err != nil {
		return e, err
	}
	e.Version = info.ServerVersion
	for _, option := range info.SecurityOptions {
		e.Rootless = e.Rootless || strings.HasPrefix(option, "name=rootless")
	}
	e.Host.CgroupV1 = info.CgroupVersion == "1"
	return e, nil
}

// info decodes what an engine says about itself. The error is one line.
func (e Engine) info(ctx context.Context, out any, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	text, err := e.Output(ctx, args...)
	if err == nil {
		if err = json.Unmarshal(text, out); err != nil {
			err = fmt.Errorf("it answers what zr does not understand: %w", err)
		}
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer in %s", probeTimeout)
	}
	var failed *CommandError
	if errors.As(err, &failed) && failed.Stderr != "" {
		return errors.New(tail(failed.Stderr, 1))
	}
	return err
}

// None is the error of a machine without an engine that can be used.
func None(preferred string, skipped []Skip) error {
	reasons := make([]string, len(skipped))
	for i, s := range skipped {
		reasons[i] = s.String()
	}
	hint := "start one of them, or install podman: " + InstallCommand()
	if preferred != "" {
		hint = fmt.Sprintf("start %s, or unset ZR_ENGINE", preferred)
	}
	return fault.Hint(fmt.Errorf("finding a container engine: %w: %s", ErrNone, strings.Join(reasons, "; ")), hint)
}
