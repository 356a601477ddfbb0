package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

// release is set by the linker in `make build`.
var release = "dev"

func version() string { return release }

// versionFlag is there for help and completion: arranged makes it the verb.
var versionFlag = &cli.BoolFlag{Name: "version", Usage: "print the versions, as the verb does", DisableDefaultText: true}

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:        "version",
		Usage:       "print the versions of zr and of what it is made with",
		Description: "EXAMPLE:\n   zr version -o json | jq -r '.zr'",
		Flags:       []cli.Flag{outputFlag()},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			asJSON, err := wantsJSON(c)
			if err != nil {
				return err
			}
			v := versions()
			if asJSON {
				return printJSON(c.App.Writer, v)
			}
			fmt.Fprintf(c.App.Writer, "zr %s (%s, %s, kind %s, kustomize %s, client-go %s)\n",
				v.Zr, v.Go, v.Platform, v.Kind, v.Kustomize, v.ClientGo)
			return nil
		},
	}
}

type versionReport struct {
	Zr        string `json:"zr"`
	Go        string `json:"go"`
	Platform  string `json:"platform"`
	Kind      string `json:"kind"`
	Kustomize string `json:"kustomize"`
	ClientGo  string `json:"clientGo"`
}

func versions() versionReport {
	v := versionReport{Zr: release, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, dep := range info.Deps {
		switch dep.Path {
		case "sigs.k8s.io/kind":
			v.Kind = dep.Version
		case "sigs.k8s.io/kustomize/api":
			v.Kustomize = dep.Version
		case "k8s.io/client-go":
			v.ClientGo = dep.Version
		}
	}
	return v
}
