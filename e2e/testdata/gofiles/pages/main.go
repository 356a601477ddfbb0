// Command pages reads its templates for each answer.
package main

import (
	"html/template"
	"net/http"
	"os"
)

func main() {
	template.Must(template.ParseGlob("templates/*.html"))
	http.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"build":"` + os.Getenv("ZR_BUILD_HASH") + `"}`))
	})
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		t, err := template.ParseGlob("templates/*.html")
		if err == nil {
			err = t.ExecuteTemplate(w, "page.html", nil)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	panic(http.ListenAndServe(":8080", nil))
}
