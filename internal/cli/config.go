package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/urfave/cli/v2"
	"go.yaml.in/yaml/v3"

	"zr/internal/stack"
	"zr/pkg/config"
	"zr/pkg/fault"
)

func configCommand() *cli.Command {
	return &cli.Command{
		Name:        "config",
		Usage:       "check and show the configuration",
		Description: "EXAMPLES:\n   zr config validate\n   zr config show -e staging",
		Flags:       verbFlags(),
		Subcommands: []*cli.Command{
			{
				Name:  "validate",
				Usage: "check every environment, or the one of --env",
				Description: `Reports every problem at once, at file:line:column: of the configuration, of
what it names as programs, and of the overlay where that is there. Exit code 2 where there is one. Writes
nothing, and runs and fetches nothing without --fetch.

EXAMPLE:
   zr config validate -o json | jq -r '.problems[].text'`,
				Flags:  verbFlags(&cli.BoolFlag{Name: "fetch", Usage: "let kustomize fetch what the overlay names by an address, by git, ssh and HTTP"}),
				Action: validateConfig,
			},
			pullCommand(),
			{
				Name:        "show",
				Usage:       "print the configuration with its defaults; secrets are left out",
				Description: "EXAMPLE:\n   zr config show -e staging -o json",
				Flags:       verbFlags(),
				Action:      showConfig,
			},
			{
				Name:        "schema",
				Usage:       "print the JSON Schema of config/<env>.yaml",
				Description: "Editors complete from it. EXAMPLE:\n   zr config schema > config/schema.json",
				Action: func(c *cli.Context) error {
					if err := noArguments(c); err != nil {
						return err
					}
					if _, err := outputMode(c); err != nil {
						return err
					}
					_, err := c.App.Writer.Write(config.Schema)
					return err
				},
			},
		},
	}
}

func validateConfig(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	asJSON, err := wantsJSON(c)
	if err != nil {
		return err
	}
	root, err := config.Find(flagValue(c, "project"))
	if err != nil {
		return err
	}
	envs := config.Envs(root)
	if env := flagValue(c, "env"); env != "" {
		envs = []string{env}
	}
	var failed []error
	problems := config.Problems{}
	for _, env := range envs {
		file := "config/" + env + ".yaml"
		overlay, err := validEnv(c.Context, root, env, c.Bool("fetch"))
		switch {
		case err != nil:
			failed = append(failed, err)
			var ps config.Problems
			if !errors.As(err, &ps) {
				ps = config.Problems{{File: cmp.Or(overlay, file), Text: err.Error(), Hint: fault.HintOf(err)}}
			}
			problems = append(problems, ps...)
		case asJSON:
		case overlay == "":
			fmt.Fprintf(c.App.Writer, "%s is valid\n", file)
		default:
			fmt.Fprintf(c.App.Writer, "%s and %s are valid\n", file, overlay)
		}
	}
	if asJSON {
		return printReport(c.App.Writer, map[string]any{"valid": len(failed) == 0, "problems": problems}, errors.Join(failed...))
	}
	return errors.Join(failed...)
}

// validEnv reads an environment, and its overlay too where that is there: a
// project may be given its config first. It returns the overlay that it read.
func validEnv(ctx context.Context, root, env string, fetch bool) (overlay string, err error) {
	cfg, err := config.Load(root, env)
	if err != nil {
		return "", err
	}
	if err := cfg.CheckSources(); err != nil {
		return "", err
	}
	if _, err := os.Stat(cfg.OverlayDir()); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return cfg.Overlay, stack.Validate(ctx, cfg, fetch)
}

func showConfig(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	asJSON, err := wantsJSON(c)
	if err != nil {
		return err
	}
	cfg, err := loadConfig(c)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(c.App.Writer, cfg)
	}
	e := yaml.NewEncoder(c.App.Writer)
	e.SetIndent(2)
	if err := e.Encode(cfg); err != nil {
		return fmt.Errorf("printing the configuration: %w", err)
	}
	return e.Close()
}
