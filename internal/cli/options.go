package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"zr/internal/stack"
	"zr/internal/ui"
	"zr/pkg/config"
	"zr/pkg/fault"
)

func globalFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "project", Aliases: []string{"C"}, Value: ".", Usage: "the project's `DIR`, or one inside it"},
		&cli.StringFlag{Name: "env", Aliases: []string{"e"}, Usage: "the `ENVIRONMENT`: config/<env>.yaml (default: dev)"},
		&cli.StringFlag{Name: "target", Usage: "the environment that runs on this `CLUSTER`: \"kind\", \"aks\", or a context that a config names"},
		instanceFlag(),
		&cli.StringFlag{Name: "namespace", Usage: "a `NAMESPACE` of your own for the environment, on a cluster that people share"},
		&cli.StringFlag{Name: "only", Usage: "run these `SERVICES` alone in it, such as \"api,worker\", with the others of the environment beside it"},
		outputFlag(),
	}
}

// rootFlags are the flags before the verb. The environment is their default, and
// not one behind the verb too, where it would hide what is said before it.
func rootFlags() []cli.Flag {
	flags := globalFlags()
	for _, f := range flags {
		if s := f.(*cli.StringFlag); slices.Contains([]string{"project", "env", "as", "namespace"}, s.Name) {
			s.EnvVars = []string{"ZR_" + strings.ToUpper(s.Name)}
		}
	}
	return flags
}

// outputFlag stands both before and behind a verb: `zr -o json up`, `zr up -o json`.
func outputFlag() cli.Flag {
	return &cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "`FORMAT` of the output: auto, plain or json (default: auto)"}
}

// verbFlags are the flags that every verb which works on a project takes.
func verbFlags(own ...cli.Flag) []cli.Flag { return append(own, globalFlags()...) }

// sharedFlags are of the verbs that change a cluster which others use too.
func sharedFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "wait", Usage: "wait for another run that is at work on the environment, on a cluster that people share"},
		&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask before something is deleted, or a change of others is taken back"},
	}
}

// flagValue returns a string flag, set behind the verb or before it.
func flagValue(c *cli.Context, name string) string {
	for _, at := range c.Lineage() {
		if at.Command != nil && at.IsSet(name) {
			return at.String(name)
		}
	}
	return c.String(name)
}

// loadConfig loads the environment that the flags name.
func loadConfig(c *cli.Context) (*config.Config, error) {
	root, err := config.Find(flagValue(c, "project"))
	if err != nil {
		return nil, err
	}
	env, target := flagValue(c, "env"), flagValue(c, "target")
	if target != "" {
		if env, err = envOn(root, env, target); err != nil {
			return nil, err
		}
	}
	env = cmp.Or(env, config.DefaultEnv)
	return stack.Load(root, env, instanceOf(c, root, env), flagValue(c, "namespace"), onlyOf(c))
}

// onlyOf returns the services that --only names.
func onlyOf(c *cli.Context) []string {
	return strings.FieldsFunc(flagValue(c, "only"), func(r rune) bool { return r == ',' || r == ' ' })
}

// envOn finds the environment that runs on target: with env, that one if
// it does; without, the only one that does.
func envOn(root, env, target string) (string, error) {
	envs := config.Envs(root)
	if env != "" {
		envs = []string{env}
	}
	var found, known []string
	for _, e := range envs {
		c, err := config.Load(root, e)
		if err != nil {
			return "", err
		}
		known = append(known, targetOf(c)+" ("+e+")")
		if targetOf(c) == target {
			found = append(found, e)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0:
		return "", fault.WithCode(fmt.Errorf("no environment runs on %q", target), fault.Usage,
			"targets here: "+strings.Join(known, ", "))
	}
	if slices.Contains(found, config.DefaultEnv) {
		return config.DefaultEnv, nil
	}
	return "", fault.WithCode(fmt.Errorf("%d environments run on %q", len(found), target), fault.Usage, "name one with --env")
}

func targetOf(c *config.Config) string {
	if c.Cluster.Provider == config.ProviderContext {
		return c.Cluster.Context
	}
	return c.Cluster.Provider
}

// printer makes the printer that --output asks for.
func printer(c *cli.Context, w io.Writer) (ui.Printer, error) {
	mode, err := outputMode(c)
	if err != nil {
		return nil, err
	}
	return ui.New(w, mode), nil
}

func outputMode(c *cli.Context) (ui.Mode, error) {
	switch value := flagValue(c, "output"); value {
	case "", "auto":
		return ui.Auto, nil
	case "plain":
		return ui.Plain, nil
	case "json":
		return ui.JSON, nil
	default:
		return ui.Auto, fault.WithCode(fmt.Errorf("--output: %q is not a format", value), fault.Usage, "one of auto, plain, json")
	}
}

func wantsJSON(c *cli.Context) (bool, error) {
	mode, err := outputMode(c)
	return mode == ui.JSON, err
}

// printJSON writes one report, indented for people who read it all the same.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
