package main

import (
	"context"
	"strings"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// awaitTimeout is for an API server that never gets ready, which the program
// then says in its own words. A new one takes some five seconds.
const awaitTimeout = time.Minute

// awaitAPI waits until the API server is ready that --kubeconfig names. For a
// second or two a new one answers and has not yet made the roles of anybody. A
// scheduler that begins in that time is refused all that it lists, asks again
// after longer and longer pauses, and places its first pod seconds after it
// could have. A controller manager asks once a second by itself, and after ten
// ends, to be started again after a pause.
func awaitAPI(args []string) {
	var path string
	for _, arg := range args {
		if value, ok := strings.CutPrefix(arg, "--kubeconfig="); ok {
			path = value
		}
	}
	if path == "" {
		return // its settings are in a file
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return // which the program finds too
	}
	config.QPS = -1 // the ticker paces
	config.Timeout = 5 * time.Second
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), awaitTimeout)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error() != nil {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
