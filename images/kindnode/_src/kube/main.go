// Command kube is every Kubernetes program that a kind node runs, in one
// binary: it acts as the program whose name it is called by (argv[0]). Linked
// apart, the seven programs are 590 MB and share almost all of their code; as
// one they are a single layer that every control-plane image uses. The node's
// own daemons are in it too, where the client library they need already is.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	_ "time/tzdata" // CronJobs name time zones

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubeadm "k8s.io/kubernetes/cmd/kubeadm/app"
	kubeadmutil "k8s.io/kubernetes/cmd/kubeadm/app/util/errors"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	"zr/images/kindnode/network"
	"zr/images/kindnode/storage"
)

var programs = map[string]func(){
	"kube-apiserver":          func() { run(apiserver.NewAPIServerCommand()) },
	"kube-controller-manager": func() { awaitAPI(os.Args[1:]); run(controllermanager.NewControllerManagerCommand()) },
	"kube-proxy":              func() { chooseIptables(); run(proxy.NewProxyCommand()) },
	"kube-scheduler":          func() { awaitAPI(os.Args[1:]); run(scheduler.NewSchedulerCommand()) },
	"kubelet":                 func() { run(kubelet.NewKubeletCommand(context.Background())) },
	"kubeadm":                 func() { kubeadmutil.HandleError(kubeadm.Run()) },
	"node-network":            func() { daemon(network.Main) },
	"node-storage":            func() { daemon(storage.Main) },
	"kubectl": func() {
		if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
			kubectlutil.CheckErr(err)
		}
	},
}

func main() {
	name := filepath.Base(os.Args[0])
	program, ok := programs[name]
	if !ok {
		names := make([]string, 0, len(programs))
		for n := range programs {
			names = append(names, n)
		}
		slices.Sort(names)
		fmt.Fprintf(os.Stderr, "kube: called as %q; link it as one of %s\n", name, strings.Join(names, ", "))
		os.Exit(2)
	}
	program()
}

// daemon runs one of the node's own programs.
func daemon(main func() error) {
	if err := main(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err)
		os.Exit(1)
	}
}

func run(command *cobra.Command) { os.Exit(cli.Run(command)) }
