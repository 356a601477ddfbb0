// Command frontend is the shop's page.
package main

import (
	"context"
	"encoding/json"
	"html/template"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"shop/rpc"
)

// page is what the template shows.
type page struct {
	Banner   string
	Products []struct {
		Name  string
		Price int
	}
	Items    int64
	Quote    string
	Rate     string
	Terms    string
	Versions []string
}

type shop struct {
	templates               *template.Template
	catalog, cart, shipping *rpc.Client
}

func main() {
	s := shop{templates: template.Must(template.ParseGlob("templates/*.html"))}
	for _, c := range []struct {
		client        **rpc.Client
		name, address string
	}{
		{&s.catalog, "Catalog", os.Getenv("CATALOG_ADDR")},
		{&s.cart, "Cart", os.Getenv("CART_ADDR")},
		{&s.shipping, "Shipping", os.Getenv("SHIPPING_ADDR")},
	} {
		var err error
		if *c.client, err = rpc.Dial(c.address, c.name); err != nil {
			log.Fatal(err)
		}
	}
	http.HandleFunc("GET /{$}", s.home)
	http.HandleFunc("POST /cart", func(w http.ResponseWriter, r *http.Request) {
		var items int64
		if err := s.cart.Call(r.Context(), "Add", &items); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	http.Handle("GET /static/", http.StripPrefix("/static/", http.FileServer(http.Dir("static"))))
	go func() { log.Fatal(http.ListenAndServe(":8080", nil)) }()
	log.Fatal(rpc.Serve(":9090", "Frontend", nil))
}

func (s shop) home(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	p := page{Banner: os.Getenv("BANNER"), Versions: []string{rpc.Version, "", "", ""}}
	for _, ask := range []func() error{
		func() error { return s.catalog.Call(ctx, "List", &p.Products) },
		func() error { return s.cart.Call(ctx, "Count", &p.Items) },
		func() error { return s.shipping.Call(ctx, "Quote", &p.Quote) },
		func() error { return get(ctx, os.Getenv("CURRENCY_URL"), &p.Rate) },
		func() error { return get(ctx, os.Getenv("PAYMENT_URL"), &p.Terms) },
		func() error { return s.catalog.Call(ctx, "Version", &p.Versions[1]) },
		func() error { return s.cart.Call(ctx, "Version", &p.Versions[2]) },
		func() error { return s.shipping.Call(ctx, "Version", &p.Versions[3]) },
	} {
		if err := ask(); err != nil {
			log.Print(err)
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
	}
	if err := s.templates.ExecuteTemplate(w, "home.html", p); err != nil {
		log.Print(err)
	}
}

// get reads the JSON that a service answers with.
func get(ctx context.Context, url string, out any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, out)
}
