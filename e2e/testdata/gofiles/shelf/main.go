// Command shelf hands out files.
package main

import "net/http"

func main() {
	http.HandleFunc("/health", func(http.ResponseWriter, *http.Request) {})
	http.Handle("/", http.FileServer(http.Dir("public")))
	panic(http.ListenAndServe(":8080", nil))
}
