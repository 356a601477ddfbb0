package main

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"zr/internal/lab"
)

// relayed is a second Service for the pods of the greeter, which is added to a
// cluster that is there: its port of this machine is relayed.
const relayed = `---
apiVersion: v1
kind: Service
metadata: {name: relayed}
spec: {type: NodePort, selector: {app.kubernetes.io/name: greeter}, ports: [{name: http, port: 14022, targetPort: http}]}
`

// benchPorts measures how long an answer of the same pods takes through a port
// that kind mapped and through one that zr relays, in turns.
func benchPorts(b *bench) {
	p := lab.NewProject(b, "examples/hello", "zrtest-bench-ports", map[string]int{"greeter": 14020, "web": 14021})
	p.Must("up")
	p.Write("kustomize/overlays/dev/greeter.yaml", p.Read("kustomize/overlays/dev/greeter.yaml")+relayed)
	p.Must("up")
	ways := []struct {
		name string
		url  string
	}{{"mapped by kind", "http://127.0.0.1:14020/health"}, {"relayed", "http://127.0.0.1:14022/health"}}
	for _, kept := range []bool{false, true} {
		what := "a connection and an answer"
		if kept {
			what = "an answer on a kept connection"
		}
		times := make([]sample, len(ways))
		client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: !kept}}
		for i := range 20 + 1000 {
			for way := range ways {
				took := timed(func() { b.must(fetch(&client, ways[way].url)) })
				if i >= 20 {
					times[way].add(took)
				}
			}
		}
		client.CloseIdleConnections()
		for way := range ways {
			row(what+", "+ways[way].name, times[way])
		}
		fmt.Printf("  %-58s %.2f × kind's mapping, %+d µs\n", "the relay",
			float64(times[1].median())/float64(times[0].median()), (times[1].median() - times[0].median()).Microseconds())
	}
}

// fetch asks and reads the whole answer.
func fetch(client *http.Client, url string) error {
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}
