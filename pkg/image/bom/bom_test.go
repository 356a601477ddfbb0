package bom

import (
	"archive/tar"
	"bytes"
	"slices"
	"testing"
)

// layer is a tar of files, of which those below bin are executable.
func layer(t *testing.T, files ...[2]string) *bytes.Buffer {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		mode := int64(0o644)
		if len(f[0]) > 4 && f[0][:4] == "bin/" {
			mode = 0o755
		}
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f[0], Size: int64(len(f[1])), Mode: mode}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &out
}

func TestPackagesOfLayers(t *testing.T) {
	base, err := Of(layer(t,
		[2]string{"var/lib/dpkg/status", "Package: libc6\nStatus: install ok installed\nVersion: 2.36-9+deb12u4\nDescription: GNU\n more\n\nPackage: half\nStatus: deinstall\n"},
		[2]string{"lib/apk/db/installed", "P:musl\nV:1.2.4-r2\n\nP:zlib\nV:1.3\n"},
		[2]string{"bin/sh", "\x7fELF, and no program of Go"}, [2]string{"bin/run", "#!/bin/sh\n"},
	))
	if err != nil {
		t.Fatal(err)
	}
	top, err := Of(layer(t,
		[2]string{"./app/node_modules/next/package.json", `{"name": "next", "version": "16.0.1"}`},
		[2]string{"app/node_modules/next/dist/compiled/x/package.json", `{"name": "x", "version": "1.0.0"}`},
		[2]string{"app/node_modules/next/node_modules/@swc/helpers/package.json", `{"name": "@swc/helpers", "version": "0.5.15"}`},
		[2]string{"app/node_modules/bad/package.json", `{"name": `}, [2]string{"app/package.json", `{"name": "app", "version": "1.0.0"}`},
		[2]string{"lib/apk/db/installed", "P:musl\nV:1.2.5-r0\n"},
	))
	if err != nil {
		t.Fatal(err)
	}
	var urls []string
	for _, p := range Packages([]Contents{base, top, top}) {
		urls = append(urls, p.URL)
	}
	if want := []string{"pkg:apk/alpine/musl@1.2.5-r0", "pkg:deb/debian/libc6@2.36-9%2Bdeb12u4", "pkg:npm/%40swc/helpers@0.5.15", "pkg:npm/next@16.0.1"}; !slices.Equal(urls, want) {
		t.Errorf("they are %v, want %v", urls, want)
	}
	if _, err := Of(bytes.NewReader([]byte("no tar, and no end of one, but more than a header takes"))); err == nil {
		t.Error("what is no layer is read")
	}
}
