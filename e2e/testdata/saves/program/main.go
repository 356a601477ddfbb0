// Command program answers with the names and values of its parts.
package main

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"

	"saves/program/parts"
)

func main() {
	http.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"build": os.Getenv("ZR_BUILD_HASH")})
	})
	http.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, parts.All())
	})
	log.Fatal(http.ListenAndServe(":8080", nil))
}
