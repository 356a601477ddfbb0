package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"zr/pkg/config"
)

func TestSchemaIsUpToDate(t *testing.T) {
	t.Chdir("../../pkg/config")
	generated, err := generate(".")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(config.Schema), string(generated)); diff != "" {
		t.Error("run `go generate ./pkg/config`:\n", diff)
	}
}
