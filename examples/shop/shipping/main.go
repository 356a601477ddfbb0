// Command shipping says what it costs to send something: by a flag, and by a
// file in its working folder.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"

	"shop/rpc"
)

const carrier = "carrier-1"

func main() {
	port := flag.Int("port", 0, "where to answer")
	currency := flag.String("currency", "", "of the prices")
	flag.Parse()
	log.Fatal(rpc.Serve(fmt.Sprintf(":%d", *port), "Shipping", map[string]rpc.Method{
		"Quote": func(context.Context) (any, error) {
			price, err := os.ReadFile("price.txt")
			return fmt.Sprintf("%s %s by %s", strings.TrimSpace(string(price)), *currency, carrier), err
		},
		"Version": func(context.Context) (any, error) { return rpc.Version, nil },
	}))
}
