package supervisor

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	proxyconfig "k8s.io/kube-proxy/config/v1alpha1"
	"sigs.k8s.io/yaml"
)

// A node that falls silent is NotReady after gracePeriod, checked every
// monitorPeriod: sooner than Kubernetes' 50 s and 5 s, so that tests of it end.
const (
	gracePeriod   = 10 * time.Second
	monitorPeriod = time.Second
)

// startWorkers starts the controllers, the scheduler, and each node's two
// processes. None needs another to start.
func (s *Supervisor) startWorkers(_ context.Context, _ func(string)) error {
	for _, host := range s.plan.ControlPlanes {
		if err := s.startKube("kube-controller-manager", host, s.controllerManagerFlags()...); err != nil {
			return err
		}
		if err := s.startKube("kube-scheduler", host, s.schedulerFlags()...); err != nil {
			return err
		}
	}
	for _, node := range s.plan.Nodes {
		config, err := s.writeProxyConfig(node)
		if err != nil {
			return err
		}
		if err := s.startKube("kube-proxy", node, "--config="+config); err != nil {
			return err
		}
		if err := s.start("kubelet", node, s.kubeletArgs(node)...); err != nil {
			return err
		}
	}
	return nil
}

// The rates are high because a throttled controller would be measured as
// Herald's own delay.
func (s *Supervisor) controllerManagerFlags() []string {
	flags := []string{
		"--kubeconfig=" + kubeconfigOf("kube-controller-manager"),
		"--use-service-account-credentials=true",
		"--service-account-private-key-file=" + credential("service-accounts.key"),
		"--root-ca-file=" + credential("authority.crt"),
		"--cluster-signing-cert-file=" + credential("authority.crt"),
		"--cluster-signing-key-file=" + credential("authority.key"),
		"--allocate-node-cidrs=true",
		"--cluster-cidr=" + join(s.plan.PodCIDRs),
		"--service-cluster-ip-range=" + join(s.plan.ServiceCIDRs),
		"--node-monitor-grace-period=" + gracePeriod.String(),
		"--node-monitor-period=" + monitorPeriod.String(),
		s.leaderElect(),
		"--secure-port=0",
		"--kube-api-qps=1000",
		"--kube-api-burst=2000",
	}
	for _, cidr := range s.plan.PodCIDRs {
		if cidr.Addr().Is4() {
			flags = append(flags, "--node-cidr-mask-size-ipv4=24")
		} else {
			flags = append(flags, "--node-cidr-mask-size-ipv6=64")
		}
	}
	return flags
}

func (s *Supervisor) schedulerFlags() []string {
	return []string{
		"--kubeconfig=" + kubeconfigOf("kube-scheduler"),
		s.leaderElect(),
		"--secure-port=0",
		"--kube-api-qps=1000",
		"--kube-api-burst=2000",
	}
}

// leaderElect: of several one works.
func (s *Supervisor) leaderElect() string {
	return fmt.Sprintf("--leader-elect=%t", len(s.plan.ControlPlanes) > 1)
}

func (s *Supervisor) kubeletArgs(node string) []string {
	host, _ := s.plan.Host(node)
	var addresses []string
	for _, address := range host.Addresses() {
		addresses = append(addresses, address.String())
	}
	return []string{
		s.program("lab"), "kubelet",
		"--node-name=" + node,
		"--addresses=" + strings.Join(addresses, ","),
		"--kubeconfig=" + kubeconfigOf(node),
		"--state=" + stateDir + "/kubelet/" + node,
		"--logs=" + logDir + "/" + node,
		"--programs=" + s.program(""),
		"--certificate=" + credential(node),
	}
}

// writeProxyConfig: the nftables mode's options have no flags.
func (s *Supervisor) writeProxyConfig(node string) (string, error) {
	var none int32
	config := proxyconfig.KubeProxyConfiguration{
		TypeMeta:         metav1.TypeMeta{APIVersion: proxyconfig.SchemeGroupVersion.String(), Kind: "KubeProxyConfiguration"},
		Mode:             "nftables",
		HostnameOverride: node,
		ClusterCIDR:      join(s.plan.PodCIDRs),
		// The connection-tracking table's size belongs to the machine.
		Conntrack: proxyconfig.KubeProxyConntrackConfiguration{MaxPerCore: &none, Min: &none},
	}
	config.ClientConnection.Kubeconfig = kubeconfigOf("kube-proxy")
	config.NFTables.MinSyncPeriod = metav1.Duration{Duration: s.config.ProxyMinSync}
	text, err := yaml.Marshal(config)
	if err != nil {
		return "", err
	}
	path := fmt.Sprintf("%s/kube-proxy-%s.yaml", stateDir, node)
	return path, os.WriteFile(path, text, 0o600)
}
