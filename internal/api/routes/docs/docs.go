// Package docs serves the description of the routes: as OpenAPI, and as a page
// to read. Everything of the page comes from here.
package docs

import (
	"embed"
	"net/http"
	"path"

	"zr/internal/api/contract"
)

//go:embed page
var page embed.FS

// policy lets the page load its own script and style, and ask for the document.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Add adds the routes. It is called after all others are there.
func Add(a *contract.API) error {
	document, err := a.Document()
	if err != nil {
		return err
	}
	rules := contract.Rules{Class: contract.Read, Role: contract.Anybody}
	a.AddPlain("GET "+contract.Base+"/openapi.json", rules, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
		_, _ = w.Write(document) // the client may be gone
	}))
	for pattern, file := range map[string]string{"/docs": "docs.html", "/docs/docs.js": "docs.js", "/docs/docs.css": "docs.css"} {
		content, err := page.ReadFile(path.Join("page", file))
		if err != nil {
			return err
		}
		a.AddPlain("GET "+pattern, rules, asset(content, types[path.Ext(file)]))
	}
	return nil
}

// types are the media types of the page's files.
var types = map[string]string{".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}

func asset(content []byte, mediaType string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("Content-Security-Policy", policy)
		_, _ = w.Write(content) // the client may be gone
	})
}
