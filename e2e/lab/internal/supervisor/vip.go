package supervisor

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/heraldlb/herald/e2e/lab/internal/control"
	"github.com/heraldlb/herald/e2e/lab/internal/topology"
)

// raftPort is what herald controlplane listens on.
const raftPort = 9647

// chooseVIPs returns the addresses that Herald is to hold for the control plane.
func chooseVIPs(parameters control.Parameters, plan *topology.Plan) (vips []netip.Addr, err error) {
	switch {
	case parameters.VIP == "auto" && parameters.Elector == control.BGP:
		return routedVIPs(parameters.Family), nil
	case parameters.VIP == "auto":
		return plan.VIPs(), nil
	case parameters.VIP == "" && len(plan.ControlPlanes) > 1:
		return nil, fmt.Errorf("%d control planes need a VIP", len(plan.ControlPlanes))
	case parameters.VIP == "":
		return nil, nil
	}
	for text := range strings.SplitSeq(parameters.VIP, ",") {
		vip, err := netip.ParseAddr(text)
		if err != nil {
			return nil, fmt.Errorf("VIP: %w", err)
		}
		vips = append(vips, vip)
	}
	return vips, nil
}

// dial connects to the API server, by the VIP as a client on the segment does.
func (s *Supervisor) dial(ctx context.Context) (conn net.Conn, err error) {
	host := topology.ControlPlane
	if len(s.vips) > 0 {
		host = topology.Client
	}
	namespace, built := s.namespaces[host]
	if !built {
		return nil, fmt.Errorf("host %s is not there yet", host)
	}
	err = namespace.Do(func() (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, "tcp", s.segmentServer())
		return err
	})
	return conn, err
}

// startHolder starts what holds the VIP on a control plane: the announcer, and beside it
// the elector that is not its own.
func (s *Supervisor) startHolder(host topology.Host) error {
	if len(s.vips) == 0 {
		return nil
	}
	elector := s.config.Elector
	if elector == "" {
		elector = "heartbeat"
	}
	if elector == control.Keepalived {
		return s.startKeepalived(host)
	}
	socket := "--socket=" + stateDir + "/controlplane-" + host.Name + ".sock"
	shared := []string{
		socket, "--node-name=" + host.Name, fmt.Sprintf("--port=%d", serverPort), "--health-ca=" + credential("authority.crt"),
	}
	args := append([]string{s.program("herald-announcer"), "--controlplane", "--elector=" + elector}, shared...)
	for _, vip := range s.vips {
		args = append(args, "--vip="+vip.String())
	}
	if s.config.Balance {
		args = append(args, "--lb")
	}
	args = append(args, strings.Fields(s.config.AnnouncerArgs)...)
	if err := s.start("herald-announcer", host.Name, args...); err != nil {
		return err
	}
	if elector == "heartbeat" && !s.config.Balance {
		return nil
	}
	return s.startElector(host, elector, shared)
}

func (s *Supervisor) startElector(host topology.Host, elector string, shared []string) error {
	if elector == "heartbeat" {
		elector = "none"
	}
	args := append([]string{s.program("herald"), "controlplane", "--elector=" + elector}, shared...)
	if elector == control.BGP {
		return s.start("herald-controlplane", host.Name, append(append(args, s.routerArgs()...), strings.Fields(s.config.ElectorArgs)...)...)
	}
	args = append(args, "--kubeconfig="+kubeconfigOf("admin"),
		"--raft-ca="+credential("authority.crt"), "--raft-cert="+credential(host.Name+".crt"), "--raft-key="+credential(host.Name+".key"))
	for _, peer := range s.controlPlanes() {
		args = append(args, fmt.Sprintf("--raft-peers=%s=%s", peer.Name, netip.AddrPortFrom(peer.Addresses()[0], raftPort)))
	}
	if s.config.Balance {
		args = append(args, "--lb-source=endpoints")
	}
	return s.start("herald-controlplane", host.Name, append(args, strings.Fields(s.config.ElectorArgs)...)...)
}
