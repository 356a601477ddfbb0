// Command made serves what build.sh makes, with itself.
package main

import (
	"net/http"
	"os"
)

func main() {
	notes, err := os.ReadFile("notes.md")
	if err != nil {
		panic(err)
	}
	http.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"build":"` + os.Getenv("ZR_BUILD_HASH") + `"}`))
	})
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(notes) })
	panic(http.ListenAndServe(":8080", nil))
}
