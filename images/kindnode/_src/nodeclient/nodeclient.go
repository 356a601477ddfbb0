// Package nodeclient connects the programs that run on every node to the API.
package nodeclient

import (
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// kubeadmConf is what kind hands to kubeadm, on every node.
const kubeadmConf = "/kind/kubeadm.conf"

// Client is the API as one node's program sees it.
type Client struct {
	kubernetes.Interface
	Node       string   // the node's name
	PodSubnets []string // the ranges of all pods
}

// New connects to the endpoint of the control plane. The address that pods are
// told leads nowhere until kube-proxy has written its first rules, and the
// kernel then asks again only after seconds.
func New() (*Client, error) {
	c := &Client{Node: os.Getenv("NODE_NAME")}
	if c.Node == "" {
		return nil, errors.New("NODE_NAME is not set")
	}
	text, err := os.ReadFile(kubeadmConf)
	if err != nil {
		return nil, err
	}
	var endpoint string
	if c.PodSubnets, endpoint, err = parse(string(text)); err != nil {
		return nil, fmt.Errorf("%s: %w", kubeadmConf, err)
	}
	config, err := rest.InClusterConfig()
	if err != nil {
		return nil, err
	}
	config.Host = "https://" + endpoint
	c.Interface, err = kubernetes.NewForConfig(config)
	return c, err
}

// A file of several YAML documents, of which one has each of these.
var (
	podSubnetLine = regexp.MustCompile(`(?m)^\s+podSubnet:\s*"?([^"\s]+)"?\s*$`)
	endpointLine  = regexp.MustCompile(`(?m)^controlPlaneEndpoint:\s*"?([^"\s]+)"?\s*$`)
)

func parse(text string) (podSubnets []string, endpoint string, err error) {
	podSubnet, at := podSubnetLine.FindStringSubmatch(text), endpointLine.FindStringSubmatch(text)
	if podSubnet == nil || at == nil {
		return nil, "", errors.New("needs podSubnet and controlPlaneEndpoint")
	}
	if _, _, err := net.SplitHostPort(at[1]); err != nil {
		return nil, "", fmt.Errorf("controlPlaneEndpoint: %w", err)
	}
	return strings.Split(podSubnet[1], ","), at[1], nil
}
