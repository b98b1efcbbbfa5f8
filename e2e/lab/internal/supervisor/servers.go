package supervisor

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// probeInterval is for what gives no event, only an answer to a question.
const probeInterval = 50 * time.Millisecond

// startServers starts etcd and the API server together; the API server waits
// for etcd by itself.
func (s *Supervisor) startServers(ctx context.Context, detail func(string)) error {
	if err := s.startKube("etcd", "cp1", s.etcdFlags()...); err != nil {
		return err
	}
	if err := s.startKube("kube-apiserver", "cp1", s.apiserverFlags()...); err != nil {
		return err
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

func (s *Supervisor) etcdFlags() []string {
	return []string{
		"--name=cp1",
		"--data-dir=" + etcdDir,
		"--listen-client-urls=http://127.0.0.1:2379",
		"--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=http://127.0.0.1:2380",
		"--initial-advertise-peer-urls=http://127.0.0.1:2380",
		"--initial-cluster=cp1=http://127.0.0.1:2380",
		"--unsafe-no-fsync", // its disk is memory
		"--log-level=warn",
	}
}

func (s *Supervisor) apiserverFlags() []string {
	return []string{
		"--advertise-address=" + s.controlPlane().Addresses()[0].String(),
		"--bind-address=::",
		fmt.Sprintf("--secure-port=%d", serverPort),
		"--etcd-servers=http://127.0.0.1:2379",
		"--service-cluster-ip-range=" + join(s.plan.ServiceCIDRs),
		"--allow-privileged=true",
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--client-ca-file=" + credential("authority.crt"),
		"--tls-cert-file=" + credential("server.crt"),
		"--tls-private-key-file=" + credential("server.key"),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + credential("service-accounts.crt"),
		"--service-account-signing-key-file=" + credential("service-accounts.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--kubelet-certificate-authority=" + credential("authority.crt"),
		"--kubelet-client-certificate=" + credential("server.crt"),
		"--kubelet-client-key=" + credential("server.key"),
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
