// Command app is the service of the agent's tests. How it behaves stands
// behind its own binary, as JSON after the last newline, so that one
// compilation gives any number of versions of a program.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

type behaviour struct {
	ID         string        `json:"id"`         // what / answers
	Crash      bool          `json:"crash"`      // writes a panic and exits at once
	CrashAfter time.Duration `json:"crashAfter"` // healthy, and then not
	Sick       bool          `json:"sick"`       // /health answers 503
	CrashWith  string        `json:"crashWith"`  // healthy, until there is a file of this name
	SickWith   string        `json:"sickWith"`   // the same, while there is a file of this name
	IgnoreTerm bool          `json:"ignoreTerm"`
	Orphans    int           `json:"orphans"`  // grandchildren to leave to PID 1
	Drain      time.Duration `json:"drain"`    // closes its port at SIGTERM and ends this much later
	StartUp    time.Duration `json:"startUp"`  // before it listens
	NeedFile   string        `json:"needFile"` // does not start without it, or while the file holds "bad"
	Silent     bool          `json:"silent"`   // /health says nothing of the build
	Lock       string        `json:"lock"`     // a file that two versions cannot both hold
}

func main() {
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		panic(err)
	}
	var b behaviour
	if err := json.Unmarshal(self[bytes.LastIndexByte(self, '\n')+1:], &b); err != nil {
		panic(err)
	}
	fmt.Println("starting", b.ID)
	if b.Crash {
		fmt.Fprintln(os.Stderr, "panic: as it was told, in", b.ID)
		os.Exit(2)
	}
	if b.NeedFile != "" {
		got, err := os.ReadFile(b.NeedFile)
		if err != nil || strings.HasPrefix(string(got), "bad") {
			fmt.Fprintln(os.Stderr, "cannot start with", b.NeedFile, string(got), err)
			os.Exit(3)
		}
	}
	if b.Lock != "" {
		f, err := os.OpenFile(b.Lock, os.O_CREATE|os.O_RDWR, 0o600)
		if err == nil {
			err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "somebody holds", b.Lock, err)
			os.Exit(4)
		}
	}
	for range b.Orphans {
		// A child that starts a grandchild and ends: the kernel gives the
		// grandchild to PID 1.
		c := exec.Command("/bin/sh", "-c", "sleep 0.05 & exit 0")
		if err := c.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "orphan:", err)
		}
	}
	time.Sleep(b.StartUp)
	serve(b)
}

func serve(b behaviour) {
	mux := http.NewServeMux()
	mux.HandleFunc("/health", func(w http.ResponseWriter, r *http.Request) {
		if _, err := os.Stat(b.SickWith); b.Sick || err == nil {
			http.Error(w, "sick", http.StatusServiceUnavailable)
			return
		}
		if b.Silent {
			fmt.Fprintln(w, "ok")
			return
		}
		json.NewEncoder(w).Encode(map[string]string{"build": os.Getenv("ZR_BUILD_HASH"), "id": b.ID})
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, b.ID) })
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(300 * time.Millisecond)
		fmt.Fprint(w, b.ID)
	})
	mux.HandleFunc("/process", func(w http.ResponseWriter, r *http.Request) {
		dir, _ := os.Getwd()
		fmt.Fprintf(w, "%s in %s", strings.Join(os.Args[1:], " "), dir)
	})
	mux.HandleFunc("/env", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, strings.Join(os.Environ(), "\n"))
	})
	server := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT"), Handler: mux}
	term := make(chan os.Signal, 4)
	signal.Notify(term, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		for s := range term {
			fmt.Println("got", s)
			if s == syscall.SIGHUP || b.IgnoreTerm {
				continue
			}
			_ = server.Shutdown(context.Background())
			time.Sleep(b.Drain)
			os.Exit(0)
		}
	}()
	if b.CrashAfter > 0 {
		time.AfterFunc(b.CrashAfter, func() {
			fmt.Fprintln(os.Stderr, "panic: a moment later, in", b.ID)
			os.Exit(2)
		})
	}
	if b.CrashWith != "" {
		go func() {
			for ; ; time.Sleep(time.Millisecond) {
				if _, err := os.Stat(b.CrashWith); err == nil {
					fmt.Fprintln(os.Stderr, "panic: because of a file, in", b.ID)
					os.Exit(2)
				}
			}
		}()
	}
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	select {}
}
