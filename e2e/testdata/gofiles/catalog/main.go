// Command catalog reads its products when it starts.
package main

import (
	"net/http"
	"os"
)

func main() {
	products, err := os.ReadFile("products.json")
	if err != nil {
		panic(err)
	}
	http.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"build":"` + os.Getenv("ZR_BUILD_HASH") + `"}`))
	})
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(products) })
	panic(http.ListenAndServe(":8080", nil))
}
