package supervisor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/heraldlb/herald/e2e/lab/internal/pki"
	"github.com/heraldlb/herald/e2e/lab/internal/topology"
)

const serverPort = 6443

// writeCredentials makes the authority and the credentials of every component.
func (s *Supervisor) writeCredentials(_ context.Context, _ func(string)) (err error) {
	if err := os.MkdirAll(pkiDir, 0o700); err != nil {
		return err
	}
	if s.authority, err = pki.NewAuthority("herald-lab"); err != nil {
		return err
	}
	serviceAccounts, err := pki.NewKeyPair()
	if err != nil {
		return err
	}
	kubeletClient, err := s.authority.Issue("kube-apiserver", nil, nil, nil)
	if err != nil {
		return err
	}
	if s.admin, err = s.authority.Issue("admin", []string{"system:masters"}, nil, nil); err != nil {
		return err
	}
	users := map[string]string{
		"kube-controller-manager": "system:kube-controller-manager",
		"kube-scheduler":          "system:kube-scheduler",
		"kube-proxy":              "system:kube-proxy",
	}
	for _, node := range s.plan.Nodes {
		if err := s.writeNode(node); err != nil {
			return err
		}
	}
	for _, name := range s.plan.ControlPlanes {
		if err := s.writeMember(name); err != nil {
			return err
		}
	}
	for file, user := range users {
		credentials, err := s.authority.Issue(user, nil, nil, nil)
		if err := errors.Join(err, s.writeKubeconfig(file, user, credentials)); err != nil {
			return err
		}
	}
	return errors.Join(
		writePair("authority", s.authority.Pair),
		writePair("kubelet-client", kubeletClient),
		writePair("service-accounts", serviceAccounts),
		s.writeKubeconfig("admin", "admin", s.admin),
	)
}

// writeNode makes what a kubelet is by: a client of the API server, and the
// server that the API server asks for logs.
func (s *Supervisor) writeNode(node string) error {
	host, _ := s.plan.Host(node)
	user := "system:node:" + node
	credentials, err := s.authority.Issue(user, []string{"system:nodes"}, []string{node}, host.Addresses())
	return errors.Join(err, writePair(node, credentials), s.writeKubeconfig(node, user, credentials))
}

func (s *Supervisor) writeKubeconfig(file, user string, credentials pki.Pair) error {
	text, err := s.authority.Kubeconfig("https://"+s.segmentServer(), user, credentials)
	if err != nil {
		return err
	}
	return os.WriteFile(kubeconfigOf(file), text, 0o600)
}

func writePair(name string, pair pki.Pair) error {
	return errors.Join(
		os.WriteFile(credential(name+".crt"), pair.Public, 0o600),
		os.WriteFile(credential(name+".key"), pair.Private, 0o600),
	)
}

// hostKubeconfig is the administrator's kubeconfig for use on the machine.
func (s *Supervisor) hostKubeconfig() ([]byte, error) {
	return s.authority.Kubeconfig("https://"+s.server.Addr().String(), "admin", s.admin)
}

// writeMember makes what a control plane is by: to the others, a member of etcd, and of
// raft; to clients, an API server.
func (s *Supervisor) writeMember(name string) error {
	host, _ := s.plan.Host(name)
	addresses := append(host.Addresses(), netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback())
	pair, err := s.authority.Issue(name, nil, []string{name}, addresses)
	if err := errors.Join(err, writePair(name, pair)); err != nil {
		return err
	}
	server, err := s.authority.Issue(name, nil, serverNames(), s.serverAddresses())
	return errors.Join(err, writePair(name+"-server", server))
}

// segmentServer is the API server as the hosts on the segment reach it: the VIP, or else
// the one there is.
func (s *Supervisor) segmentServer() string {
	address := s.controlPlanes()[0].Addresses()[0]
	if len(s.vips) > 0 {
		address = s.vips[0]
	}
	return net.JoinHostPort(address.String(), fmt.Sprint(serverPort))
}

// controlPlanes are the hosts with an API server.
func (s *Supervisor) controlPlanes() (all []topology.Host) {
	for _, name := range s.plan.ControlPlanes {
		host, _ := s.plan.Host(name)
		all = append(all, host)
	}
	return all
}

func serverNames() []string {
	return []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}
}

// serverAddresses are all addresses by which clients know an API server: the loopback, the
// hosts' own, the VIPs, and the first of each Service range.
func (s *Supervisor) serverAddresses() []netip.Addr {
	addresses := []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	for _, host := range s.controlPlanes() {
		addresses = append(addresses, host.Addresses()...)
	}
	for _, cidr := range s.plan.ServiceCIDRs {
		addresses = append(addresses, cidr.Addr().Next())
	}
	return append(addresses, s.vips...)
}
