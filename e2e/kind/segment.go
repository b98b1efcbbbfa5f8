package kind

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"

	"go4.org/netipx"

	"github.com/heraldlb/herald/e2e/docker"
	"github.com/heraldlb/herald/e2e/lab"
)

// Segment is docker's network, a bridge of this machine.
type Segment struct {
	Bridge string
	V4, V6 netip.Prefix
}

// inspect asks docker for it.
func inspect(ctx context.Context) (Segment, error) {
	text, err := docker.Run(ctx, nil, "network", "inspect", network)
	if err != nil {
		return Segment{}, err
	}
	return parseNetwork([]byte(text))
}

func parseNetwork(text []byte) (s Segment, err error) {
	var networks []struct {
		ID      string `json:"Id"`
		Options map[string]string
		IPAM    struct {
			Config []struct{ Subnet netip.Prefix }
		}
	}
	if err := json.Unmarshal(text, &networks); err != nil {
		return s, fmt.Errorf("docker's network %s: %w", network, err)
	}
	if len(networks) != 1 {
		return s, fmt.Errorf("%d networks %s", len(networks), network)
	}
	s.Bridge = networks[0].Options["com.docker.network.bridge.name"]
	if s.Bridge == "" {
		s.Bridge = "br-" + networks[0].ID[:12]
	}
	for _, part := range networks[0].IPAM.Config {
		if part.Subnet.Addr().Is4() {
			s.V4 = part.Subnet
		} else {
			s.V6 = part.Subnet
		}
	}
	if !s.V4.IsValid() || !s.V6.IsValid() {
		return s, fmt.Errorf("docker's network %s speaks one IP family; both are needed", network)
	}
	return s, nil
}

// Ranges are runs of the segment's addresses that docker, which gives out the first, does
// not come to.
func (s Segment) Ranges() (global, spare [2]netipx.IPRange) {
	end := netipx.PrefixLastIP(s.V4).As4() // the last /24
	v4 := func(host byte) netip.Addr { a := end; a[3] = host; return netip.AddrFrom4(a) }
	first := s.V6.Masked().Addr().As16()
	v6 := func(block, host byte) netip.Addr {
		a := first
		a[11], a[13], a[14], a[15] = 0xf, block, host, host
		return netip.AddrFrom16(a)
	}
	return [2]netipx.IPRange{netipx.IPRangeFrom(v4(200), v4(239)), netipx.IPRangeFrom(v6(1, 0), v6(1, 0xff))},
		[2]netipx.IPRange{netipx.IPRangeFrom(v4(100), v4(199)), netipx.IPRangeFrom(v6(2, 0), v6(2, 0xff))}
}

// port returns the name of a container's port on the bridge.
func (c *Cluster) port(ctx context.Context, host string) (string, error) {
	own, err := c.link(ctx, host)
	if err != nil {
		return "", err
	}
	output, err := exec.CommandContext(ctx, "ip", "-json", "link").Output()
	if err != nil {
		return "", fmt.Errorf("links of this machine: %w", err)
	}
	links, err := parseLinks(output)
	if err != nil {
		return "", err
	}
	for _, l := range links {
		if l.Index == own.Peer {
			return l.Name, nil
		}
	}
	return "", fmt.Errorf("no port %d of %s here: is docker's network that of this process?", own.Peer, host)
}

// LinkDown sets a host's port down: it loses the carrier and keeps what it has configured.
func (c *Cluster) LinkDown(ctx context.Context, host string) error {
	return c.setPort(ctx, host, "down")
}

// LinkUp sets it up again.
func (c *Cluster) LinkUp(ctx context.Context, host string) error { return c.setPort(ctx, host, "up") }

func (c *Cluster) setPort(ctx context.Context, host, state string) error {
	port, err := c.port(ctx, host)
	if err != nil {
		return err
	}
	if output, err := exec.CommandContext(ctx, "ip", "link", "set", port, state).CombinedOutput(); err != nil {
		return fmt.Errorf("port of %s %s: %w: %s", host, state, err, output)
	}
	return nil
}

// Drop makes the bridge drop what nftables rules of its family say, in which its ports have
// the names of the hosts. They take the place of those before.
func (c *Cluster) Drop(ctx context.Context, rules ...string) error {
	script := lab.DropScript(rules...)
	for _, host := range append(Nodes(), Client, Router) {
		quoted := fmt.Sprintf("%q", host)
		if !strings.Contains(script, quoted) {
			continue
		}
		port, err := c.port(ctx, host)
		if err != nil {
			return err
		}
		script = strings.ReplaceAll(script, quoted, fmt.Sprintf("%q", port))
	}
	cmd := exec.CommandContext(ctx, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(script)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("drop on the bridge: %w: %s", err, output)
	}
	return nil
}
