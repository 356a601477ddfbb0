package cli

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"zr/pkg/config"
	"zr/pkg/fault"
)

// completing ends a command line that a shell asks to be completed.
const completing = "--generate-bash-completion"

const bashCompletion = `_zr() {
  local cur=${COMP_WORDS[COMP_CWORD]} line=("${COMP_WORDS[@]:0:COMP_CWORD}")
  [[ $cur != -* ]] || line+=(-) # all flags
  COMPREPLY=($(compgen -W "$("${line[@]}" --generate-bash-completion 2>/dev/null)" -- "$cur"))
}
complete -o bashdefault -o default -F _zr zr
`

const zshCompletion = `#compdef zr
_zr() {
  local cur=${words[CURRENT]}
  local -a line_ words_
  line_=("${(@)words[1,CURRENT-1]}")
  [[ $cur != -* ]] || line_+=(-) # all flags
  words_=("${(@f)$(_CLI_ZSH_AUTOCOMPLETE_HACK=1 $line_ --generate-bash-completion 2>/dev/null)}")
  _describe 'zr' words_
}
if [ "$funcstack[1]" = _zr ]; then _zr; else compdef _zr zr; fi
`

// completeServices offers the services of the environment that the line names so
// far, and flags where one was begun. Of a configuration that cannot be read it
// offers nothing.
func completeServices(c *cli.Context) {
	if args := os.Args; len(args) > 1 && strings.HasPrefix(args[len(args)-2], "-") {
		cli.DefaultCompleteWithFlags(c.Command)(c)
		return
	}
	cfg, err := loadConfig(c)
	if err != nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Services)) {
		fmt.Fprintln(c.App.Writer, name)
	}
}

// completeEnv offers the environments of the project, where a line that a shell
// asks to be completed ends with the flag for one. The library would take what
// ends the line for its value.
func completeEnv(args []string, out io.Writer) bool {
	n := len(args)
	if n < 3 || args[n-1] != completing || args[n-2] != "-e" && args[n-2] != "--env" {
		return false
	}
	project := ""
	for i, arg := range args[:n-2] {
		if arg == "-C" || arg == "--project" {
			project = args[i+1]
		}
	}
	if root, err := config.Find(project); err == nil {
		for _, env := range config.Envs(root) {
			fmt.Fprintln(out, env)
		}
	}
	return true
}

func completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print the completion script of a shell",
		ArgsUsage: "bash|zsh|fish",
		Description: `EXAMPLES:
   source <(zr completion bash)
   zr completion zsh > "${fpath[1]}/_zr"
   zr completion fish > ~/.config/fish/completions/zr.fish`,
		BashComplete: func(c *cli.Context) { fmt.Fprintln(c.App.Writer, "bash\nzsh\nfish") },
		Action: func(c *cli.Context) error {
			if _, err := outputMode(c); err != nil {
				return err
			}
			switch shell := strings.Join(c.Args().Slice(), " "); shell {
			case "bash":
				fmt.Fprint(c.App.Writer, bashCompletion)
			case "zsh":
				fmt.Fprint(c.App.Writer, zshCompletion)
			case "fish":
				script, err := c.App.ToFishCompletion()
				if err != nil {
					return fmt.Errorf("writing the completion for fish: %w", err)
				}
				fmt.Fprint(c.App.Writer, script)
			default:
				return fault.WithCode(fmt.Errorf("no completion for the shell %q", shell), fault.Usage, "one of bash, zsh, fish")
			}
			return nil
		},
	}
}
