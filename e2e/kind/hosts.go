package kind

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/heraldlb/herald/e2e/docker"
)

// The network behind the router.
const (
	routerV4, remoteV4 = "192.168.200.1", "192.168.200.5"
	routerV6, remoteV6 = "fd00:200::1", "fd00:200::5"
)

// Command returns a command of this machine that will run in the network of a container.
// Processes have the ids that they have here.
func (c *Cluster) Command(ctx context.Context, host string, args ...string) *exec.Cmd {
	pid, err := c.pid(ctx, host)
	words := []string{"nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", pid), "setpriv", "--pdeathsig", "KILL"}
	cmd := exec.CommandContext(ctx, words[0], slices.Concat(words[1:], args)...)
	if err != nil {
		cmd.Err = err
	}
	return cmd
}

// run runs one, and returns what it prints.
func (c *Cluster) run(ctx context.Context, host string, args ...string) ([]byte, error) {
	var complaint strings.Builder
	cmd := c.Command(ctx, host, args...)
	cmd.Stderr = &complaint
	output, err := cmd.Output()
	if err != nil {
		return output, fmt.Errorf("%s: %s: %w: %s", host, strings.Join(args, " "), err, complaint.String())
	}
	return output, nil
}

func (c *Cluster) pid(ctx context.Context, host string) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if pid, ok := c.pids[host]; ok {
		return pid, nil
	}
	text, err := docker.Run(ctx, nil, "inspect", "--format", "{{.State.Pid}}", host)
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || pid == 0 {
		return 0, fmt.Errorf("%s does not run: process %q", host, text)
	}
	c.pids[host] = pid
	return pid, nil
}

func (c *Cluster) forget(host string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pids, host)
}

// startHosts starts the client, the router, and the host behind it.
func (c *Cluster) startHosts(ctx context.Context) error {
	for _, host := range []string{Client, Router, Remote} {
		attached := network
		if host == Remote {
			attached = "none"
		}
		if _, err := docker.Run(ctx, nil, "run", "--detach", "--label", label, "--name", host, "--hostname", host,
			"--network", attached, "--stop-signal", "KILL", "--entrypoint", "sleep", c.NodeImage, "infinity"); err != nil {
			return err
		}
	}
	router, err := c.pid(ctx, Router)
	if err != nil {
		return err
	}
	remote, err := c.pid(ctx, Remote)
	if err != nil {
		return err
	}
	for _, step := range []struct{ host, line string }{
		{Router, "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0 net.ipv6.conf.all.forwarding=1"},
		{Remote, "sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0"},
		{Router, fmt.Sprintf("ip link add "+Uplink+" netns %d type veth peer name eth0 netns %d", router, remote)},
		{Router, "ip address add " + routerV4 + "/24 dev " + Uplink},
		{Router, "ip address add " + routerV6 + "/64 dev " + Uplink + " nodad"},
		{Router, "ip link set " + Uplink + " up"},
		{Remote, "ip address add " + remoteV4 + "/24 dev eth0"},
		{Remote, "ip address add " + remoteV6 + "/64 dev eth0 nodad"},
		{Remote, "ip link set eth0 up"},
		{Remote, "ip route add default via " + routerV4},
		{Remote, "ip route add default via " + routerV6},
	} {
		if _, err := c.run(ctx, step.host, strings.Fields(step.line)...); err != nil {
			return err
		}
	}
	gateways, err := c.Addresses(ctx, Router)
	if err != nil {
		return err
	}
	return c.routeBy(ctx, Client, gateways)
}

// connect gives nodes, which have just started, the router as their gateway, which goes on
// to docker's; the link-layer addresses that they had before, and their share of real time.
func (c *Cluster) connect(ctx context.Context, nodes ...string) error {
	router, err := c.Addresses(ctx, Router)
	if err != nil {
		return err
	}
	for _, node := range nodes {
		if err := c.shareRealTime(ctx, node); err != nil {
			return err
		}
		if _, err := c.run(ctx, node, "ip", "link", "set", "dev", Interface, "address", c.macs[node]); err != nil {
			return err
		}
		if err := c.routeBy(ctx, node, router); err != nil {
			return err
		}
	}
	return nil
}

// routeBy makes a host's gateways those of a router.
func (c *Cluster) routeBy(ctx context.Context, host string, gateways []netip.Addr) error {
	for _, gateway := range gateways {
		family := "-4"
		if gateway.Is6() {
			family = "-6"
		}
		if _, err := c.run(ctx, host, "ip", family, "route", "replace", "default", "via", gateway.String(), "dev", Interface); err != nil {
			return err
		}
	}
	return nil
}

// Addresses returns a container's IPv4 and IPv6 address on the segment.
func (c *Cluster) Addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	const format = "{{(index .NetworkSettings.Networks \"" + network + "\").IPAddress}} {{(index .NetworkSettings.Networks \"" + network + "\").GlobalIPv6Address}}"
	text, err := docker.Run(ctx, nil, "inspect", "--format", format, host)
	if err != nil {
		return nil, err
	}
	var addresses []netip.Addr
	for word := range strings.FieldsSeq(text) {
		address, err := netip.ParseAddr(word)
		if err != nil {
			return nil, err
		}
		addresses = append(addresses, address)
	}
	if len(addresses) != 2 {
		return nil, fmt.Errorf("%s has the addresses %q: both families are needed", host, text)
	}
	return addresses, nil
}

// link is an end of a pair.
type link struct {
	Name  string `json:"ifname"`
	Index int    `json:"ifindex"`
	MAC   string `json:"address"`
	Peer  int    `json:"link_index"`
}

// link returns a container's link to the segment.
func (c *Cluster) link(ctx context.Context, host string) (link, error) {
	output, err := c.run(ctx, host, "ip", "-json", "link", "show", "dev", Interface)
	if err != nil {
		return link{}, err
	}
	links, err := parseLinks(output)
	if err != nil || len(links) != 1 {
		return link{}, fmt.Errorf("links of %s: %w: %s", host, err, output)
	}
	return links[0], nil
}

func parseLinks(output []byte) (links []link, err error) {
	err = json.Unmarshal(output, &links)
	return links, err
}
