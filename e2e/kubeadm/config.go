package main

import (
	"fmt"
	"strings"
	"text/template"
)

const podSubnet = "10.244.0.0/16"

// settings are what kubeadm is told.
type settings struct {
	Version, Endpoint string
}

// initConfig is the documentation's.
const initConfig = `apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: {{.Version}}
controlPlaneEndpoint: "{{.Endpoint}}"
networking: {podSubnet: ` + podSubnet + `, serviceSubnet: 10.96.0.0/16}
`

// inContainers are settings that a node in a container needs, as kind makes them: it
// shares its kernel, disk and swap with others.
const inContainers = `---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: systemd
cgroupRoot: /kubelet
failSwapOn: false
imageGCHighThresholdPercent: 100
evictionHard: {nodefs.available: "0%", nodefs.inodesFree: "0%", imagefs.available: "0%"}
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
conntrack: {maxPerCore: 0}
`

// fill fills in a template.
func fill(text string, values any) (string, error) {
	t, err := template.New("").Parse(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	if err := t.Execute(&out, values); err != nil {
		return "", fmt.Errorf("template: %w", err)
	}
	return out.String(), nil
}
