package supervisor

import (
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/heraldlb/herald/e2e/lab/internal/control"
	"github.com/heraldlb/herald/e2e/lab/internal/topology"
)

// The autonomous systems of the control planes and of their router.
const (
	nodesAS  = 64513
	routerAS = 64512
)

// routedVIPs are those of a lab whose Elector is control.BGP: of no host's subnet.
func routedVIPs(family topology.Family) (vips []netip.Addr) {
	if family != topology.V6 {
		vips = append(vips, netip.AddrFrom4([4]byte{203, 0, 113, 100}))
	}
	if family != topology.V4 {
		vips = append(vips, netip.MustParseAddr("2001:db8:100::100"))
	}
	return vips
}

// startRouter starts BIRD on the router, for the control planes.
func (s *Supervisor) startRouter() error {
	if s.config.Elector != control.BGP {
		return nil
	}
	host, _ := s.plan.Host(topology.Router)
	// Connections are spread, not clients; and these are on the segment too, and would learn
	// a node by its address.
	err := s.namespaces[topology.Router].Do(func() error {
		for name, value := range map[string]string{
			"ipv4/fib_multipath_hash_policy": "1", "ipv6/fib_multipath_hash_policy": "1",
			"ipv4/conf/all/send_redirects": "0", "ipv4/conf/eth0/send_redirects": "0",
		} {
			if err := os.WriteFile("/proc/sys/net/"+name, []byte(value), 0o600); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("the router's sysctls: %w", err)
	}
	file := configOf(host, "bird.conf")
	if err := os.WriteFile(file, []byte(s.birdConfig(host)), 0o600); err != nil {
		return err
	}
	return s.start("bird", host.Name, "bird", "-d", "-c", file, "-s", control.BIRDSocket, "-P", configOf(host, "bird.pid"))
}

// birdConfig has sessions by the first family of the segment, for routes of both.
func (s *Supervisor) birdConfig(host topology.Host) string {
	var text strings.Builder
	text.WriteString(`log stderr all;
router id 192.0.2.254;
protocol device { scan time 1; }
protocol direct { ipv4; ipv6; }
protocol bfd { interface "eth0" { min rx interval 300 ms; min tx interval 300 ms; multiplier 3; }; }
protocol kernel { ipv4 { import none; export where source = RTS_BGP; }; merge paths on; }
protocol kernel { ipv6 { import none; export where source = RTS_BGP; }; merge paths on; }
`)
	for _, peer := range s.controlPlanes() {
		fmt.Fprintf(&text, `protocol bgp %s {
  local %s as %d;
  neighbor %s as %d;
  passive yes;
  error wait time 1, 2;
  bfd on;
  graceful restart aware;
  ipv4 { import all; export none; };
  ipv6 { import all; export none; };
}
`, peer.Name, host.Addresses()[0], routerAS, peer.Addresses()[0], nodesAS)
	}
	return text.String()
}

// routerArgs tell herald controlplane of the router.
func (s *Supervisor) routerArgs() []string {
	host, _ := s.plan.Host(topology.Router)
	at := host.Addresses()[0].String()
	if host.Addresses()[0].Is6() {
		at = "[" + at + "]"
	}
	return []string{
		fmt.Sprintf("--localAS=%d", nodesAS), fmt.Sprintf("--bgppeers=%s:%d:::::true;300;300;3", at, routerAS),
	}
}
