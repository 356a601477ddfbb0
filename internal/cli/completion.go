package cli

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"zr/pkg/fault"
)

// completing ends a command line that a shell asks to be completed.
const completing = "--generate-bash-completion"

const bashCompletion = `_zr() {
  local words
  words=$("${COMP_WORDS[@]:0:$COMP_CWORD}" --generate-bash-completion 2>/dev/null)
  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o bashdefault -o default -F _zr zr
`

const zshCompletion = `#compdef zr
_zr() {
  local -a words_
  words_=("${(@f)$(_CLI_ZSH_AUTOCOMPLETE_HACK=1 ${words[@]:0:#words[@]-1} --generate-bash-completion 2>/dev/null)}")
  _describe 'zr' words_
}
compdef _zr zr
`

func completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print the completion script of a shell",
		ArgsUsage: "bash|zsh|fish",
		Description: `EXAMPLES:
   source <(zr completion bash)
   zr completion zsh > "${fpath[1]}/_zr"
   zr completion fish > ~/.config/fish/completions/zr.fish`,
		Action: func(c *cli.Context) error {
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
