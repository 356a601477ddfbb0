// Command catalog knows the products of the shop, from a file in its folder.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"

	"shop/rpc"
)

type product struct {
	Name  string `json:"name"`
	Price int    `json:"price"` // in cents
}

func main() {
	if _, err := products(); err != nil {
		log.Fatal(err)
	}
	log.Fatal(rpc.Serve(":3550", "Catalog", map[string]rpc.Method{
		"List":    func(context.Context) (any, error) { return products() },
		"Version": func(context.Context) (any, error) { return rpc.Version, nil },
	}))
}

// products reads the file for each call, so that a new price needs no restart.
func products() (list []product, err error) {
	text, err := os.ReadFile("products.json")
	if err != nil {
		return nil, err
	}
	err = json.Unmarshal(text, &list)
	return list, err
}
