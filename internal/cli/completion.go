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
