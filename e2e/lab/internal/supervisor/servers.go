package supervisor

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/heraldlb/herald/e2e/lab/internal/topology"
)

// probeInterval is for what gives no event, only an answer to a question.
const probeInterval = 50 * time.Millisecond

func (s *Supervisor) serversStep() string {
	if len(s.vips) == 0 {
		return "etcd and kube-apiserver"
	}
	return fmt.Sprintf("etcd, kube-apiserver, and Herald for the VIP, on %d hosts", len(s.plan.ControlPlanes))
}

// startServers starts etcd, the API servers, and what holds the VIP together; API servers
// wait for etcd by themselves, and the VIP for them.
func (s *Supervisor) startServers(ctx context.Context, detail func(string)) error {
	if err := s.startRouter(); err != nil {
		return err
	}
	for _, host := range s.controlPlanes() {
		if err := s.startKube("etcd", host.Name, s.etcdFlags(host)...); err != nil {
			return err
		}
		if err := s.startKube("kube-apiserver", host.Name, s.apiserverFlags(host)...); err != nil {
			return err
		}
		if err := s.startHolder(host); err != nil {
			return err
		}
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfigOf("admin"))
	if err != nil {
		return err
	}
	config.QPS, config.Burst = -1, -1
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	s.client = client
	return poll(ctx, func(ctx context.Context) bool {
		answer, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").Param("verbose", "").Do(ctx).Raw()
		if err == nil {
			return true
		}
		if checks := failing(string(answer)); checks != "" {
			detail("not ready: " + checks)
		} else {
			detail(err.Error())
		}
		return false
	})
}

// failing picks the checks that fail out of a verbose /readyz.
func failing(readyz string) string {
	var checks []string
	for line := range strings.Lines(readyz) {
		if check, ok := strings.CutPrefix(line, "[-]"); ok {
			checks = append(checks, strings.Fields(check)[0])
		}
	}
	return strings.Join(checks, ", ")
}

// etcdFlags: clients of a member are on its host alone; the members talk to each other on
// the segment, and know each other by certificates.
func (s *Supervisor) etcdFlags(host topology.Host) []string {
	var cluster []string
	for _, member := range s.controlPlanes() {
		cluster = append(cluster, member.Name+"="+peerURL(member))
	}
	return []string{
		"--name=" + host.Name,
		"--data-dir=" + etcdDir + "/" + host.Name,
		"--listen-client-urls=http://127.0.0.1:2379",
		"--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=" + peerURL(host),
		"--initial-advertise-peer-urls=" + peerURL(host),
		"--initial-cluster=" + strings.Join(cluster, ","),
		"--peer-cert-file=" + credential(host.Name+".crt"),
		"--peer-key-file=" + credential(host.Name+".key"),
		"--peer-trusted-ca-file=" + credential("authority.crt"),
		"--peer-client-cert-auth=true",
		"--unsafe-no-fsync", // its disk is memory
		"--log-level=warn",
	}
}

func peerURL(host topology.Host) string {
	return "https://" + netip.AddrPortFrom(host.Addresses()[0], 2380).String()
}

// farewellDelay is how long an API server that is told to end goes on, no longer ready,
// where others may take its clients.
const farewellDelay = 5 * time.Second

func (s *Supervisor) apiserverFlags(host topology.Host) []string {
	delay := time.Duration(0)
	if len(s.plan.ControlPlanes) > 1 {
		delay = farewellDelay
	}
	return []string{
		fmt.Sprintf("--shutdown-delay-duration=%s", delay),
		"--advertise-address=" + host.Addresses()[0].String(),
		"--bind-address=::",
		fmt.Sprintf("--secure-port=%d", serverPort),
		"--etcd-servers=http://127.0.0.1:2379",
		"--service-cluster-ip-range=" + join(s.plan.ServiceCIDRs),
		"--allow-privileged=true",
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--client-ca-file=" + credential("authority.crt"),
		"--tls-cert-file=" + credential(host.Name+"-server.crt"),
		"--tls-private-key-file=" + credential(host.Name+"-server.key"),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + credential("service-accounts.crt"),
		"--service-account-signing-key-file=" + credential("service-accounts.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--kubelet-certificate-authority=" + credential("authority.crt"),
		"--kubelet-client-certificate=" + credential("kubelet-client.crt"),
		"--kubelet-client-key=" + credential("kubelet-client.key"),
		"--profiling=false",
	}
}

// poll asks until the answer is yes or ctx ends.
func poll(ctx context.Context, ask func(context.Context) bool) error {
	ticker := time.NewTicker(probeInterval)
	defer ticker.Stop()
	for !ask(ctx) {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func join(prefixes []netip.Prefix) string {
	var texts []string
	for _, prefix := range prefixes {
		texts = append(texts, prefix.String())
	}
	return strings.Join(texts, ",")
}
