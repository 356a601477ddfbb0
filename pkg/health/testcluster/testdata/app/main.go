// App is a container that does what a test tells it: answers, writes lines,
// crashes in one of several ways.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	listen := flag.String("listen", "", "serve /health on this address")
	raw := flag.String("raw", "", "accept and hold TCP connections on this address")
	status := flag.Int("status", 200, "status of /health")
	build := flag.String("build", "", "build hash in the answer of /health")
	readyAfter := flag.Duration("ready-after", 0, "answer /health with 503 until then")
	lines := flag.Int("lines", 0, "write so many numbered lines")
	every := flag.Duration("every", 0, "pause between lines")
	now := flag.Bool("now", false, "a line has the time at which it is written, and not that of the beginning; -every is then the time from one to the next")
	say := flag.String("say", "", "write this to stderr")
	eat := flag.Int("eat", 0, "MiB of memory to use")
	crash := flag.Bool("panic", false, "panic")
	after := flag.Duration("after", 0, "wait before the end")
	exit := flag.Int("exit", -1, "end with this code; -1 stays")
	flag.Parse()

	began := time.Now()
	if *listen != "" {
		http.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
			code := *status
			if time.Since(began) < *readyAfter {
				code = http.StatusServiceUnavailable
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			fmt.Fprintf(w, `{"build":%q,"state":"as told"}`, *build)
		})
		go func() { fail(http.ListenAndServe(*listen, nil)) }()
	}
	if *raw != "" {
		l, err := net.Listen("tcp", *raw)
		fail(err)
		go func() {
			for {
				_, err := l.Accept()
				fail(err)
			}
		}()
	}
	if *say != "" {
		fmt.Fprintln(os.Stderr, *say)
	}
	host, _ := os.Hostname() // part of a line's text only
	for i := range *lines {
		at := began
		if *now {
			time.Sleep(time.Until(began.Add(time.Duration(i) * *every)))
			at = time.Now()
		}
		fmt.Printf("line %d of %s at %s\n", i, host, at.Format(time.RFC3339Nano))
		if !*now {
			time.Sleep(*every)
		}
	}
	time.Sleep(*after)
	for n := range *eat {
		fill(make([]byte, 1<<20), byte(n))
	}
	if *crash {
		panic("the test told me to")
	}
	if *exit >= 0 {
		os.Exit(*exit)
	}
	time.Sleep(time.Hour) // longer than any test; a bare select would be a deadlock
}

var eaten [][]byte

func fill(b []byte, with byte) {
	for i := range b {
		b[i] = with
	}
	eaten = append(eaten, b)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
