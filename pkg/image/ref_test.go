package image

import "testing"

func TestNormalize(t *testing.T) {
	hub, err := Normalize("x")
	if err != nil {
		t.Fatal(err)
	}
	hub = hub[:len(hub)-len("library/x:latest")]
	digest := "@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	for in, want := range map[string]string{
		"postgres:15":                      hub + "library/postgres:15",
		"postgres":                         hub + "library/postgres:latest",
		"team/app:1":                       hub + "team/app:1",
		"postgres:15" + digest:             hub + "library/postgres" + digest,
		"localhost/zr/api" + digest:        "localhost/zr/api" + digest,
		"localhost:5000/a/b:c":             "localhost:5000/a/b:c",
		"registry.example:443/team/app:v1": "registry.example:443/team/app:v1",
	} {
		got, err := Normalize(in)
		if err != nil || got != want {
			t.Errorf("Normalize(%q) = %q, %v; want %q", in, got, err, want)
		}
		again, err := Normalize(got)
		if err != nil || again != got {
			t.Errorf("Normalize(%q) = %q, %v; want it unchanged", got, again, err)
		}
	}
	if _, err := Normalize("Not A Name"); err == nil {
		t.Error("a name with blanks was taken")
	}
}

func TestRepositoryOf(t *testing.T) {
	for in, want := range map[string]string{
		"localhost:5000/a/b:c":       "localhost:5000/a/b",
		"localhost:5000/a/b":         "localhost:5000/a/b",
		"localhost/a/b@sha256:00":    "localhost/a/b",
		"registry.example/a:1@sha:2": "registry.example/a",
	} {
		if got := repositoryOf(in); got != want {
			t.Errorf("repositoryOf(%q) = %q, want %q", in, got, want)
		}
	}
}
