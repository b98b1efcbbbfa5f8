package balance

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sync/errgroup"
)

// Ports: of the API servers, and of HAProxy.
const (
	apiPort     = 6443
	haproxyPort = 8443
)

// segment is a client and three nodes, the first of which has the VIP.
type segment struct {
	sw, client *host
	nodes      []*host
	vip        netip.Addr
	cert       tls.Certificate
	ca         string
	routes     []route
}

func newSegment(ca string) (s *segment, err error) {
	s = &segment{vip: node(100), ca: ca}
	if s.cert, err = certificate(ca); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.sw, err = newHost(); err != nil {
		return s, err
	}
	if err := s.sw.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br0"}}); err != nil {
		return s, err
	}
	if err := s.sw.up("br0"); err != nil {
		return s, err
	}
	if s.client, err = s.add("client", 50); err != nil {
		return s, err
	}
	all := make([]netip.AddrPort, 3)
	for i := range all {
		h, err := s.add(fmt.Sprintf("node-%d", i+1), byte(i+1))
		if err != nil {
			return s, err
		}
		s.nodes = append(s.nodes, h)
		all[i] = netip.AddrPortFrom(node(byte(i+1)), apiPort)
	}
	s.routes = []route{
		{direct, all},
		{herald, []netip.AddrPort{netip.AddrPortFrom(s.vip, apiPort)}},
		{haproxy, []netip.AddrPort{netip.AddrPortFrom(s.vip, haproxyPort)}},
	}
	return s, errors.Join(s.nodes[0].address(netip.PrefixFrom(s.vip, s.vip.BitLen())), s.nodes[0].forward())
}

// node is an address of TEST-NET-1 (RFC 5737).
func node(last byte) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, last}) }

func (s *segment) add(name string, last byte) (*host, error) {
	h, err := newHost()
	if err != nil {
		return nil, err
	}
	return h, h.join(s.sw, "br0", name, netip.PrefixFrom(node(last), 24))
}

func (s *segment) close() error {
	var failed error
	for _, h := range append(s.nodes, s.client, s.sw) {
		if h != nil {
			failed = errors.Join(failed, h.close())
		}
	}
	return failed
}

// limit has each host send and receive no more than so many bytes a second.
func (s *segment) limit(rate uint64) error {
	failed := errors.Join(limit(s.sw, "client", rate), limit(s.client, "eth0", rate))
	for i, h := range s.nodes {
		failed = errors.Join(failed, limit(s.sw, fmt.Sprintf("node-%d", i+1), rate), limit(h, "eth0", rate))
	}
	return failed
}

// start starts the API servers, and the balancers on the first node.
func (s *segment) start(ctx context.Context, running *errgroup.Group, self []string, dir string) error {
	for i, h := range s.nodes {
		var l net.Listener
		err := h.do(func() (err error) {
			l, err = new(net.ListenConfig).Listen(ctx, "tcp4", fmt.Sprintf(":%d", apiPort))
			return err
		})
		if err != nil {
			return err
		}
		running.Go(func() error { return (&server{s.cert, byte(i)}).serve(ctx, l) })
	}
	text, err := json.Marshal(plan{CA: s.ca, Frontends: s.routes[1].at, Backends: s.routes[0].at})
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	config := filepath.Join(dir, "haproxy.cfg")
	if err := os.WriteFile(config, s.haproxy(), 0o600); err != nil {
		return err
	}
	return errors.Join(
		s.run(ctx, running, append(append([]string{program}, self...), string(text))...),
		s.run(ctx, running, "haproxy", "-db", "-f", config),
	)
}

// run runs a program on the first node until ctx ends.
func (s *segment) run(ctx context.Context, running *errgroup.Group, program ...string) error {
	cmd := exec.CommandContext(ctx, program[0], program[1:]...)
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	if err := s.nodes[0].do(cmd.Start); err != nil {
		return err
	}
	running.Go(func() error {
		if err := cmd.Wait(); ctx.Err() == nil {
			return fmt.Errorf("%s ended: %w", program[0], err)
		}
		return nil
	})
	return nil
}

// haproxy is a configuration as guides for kubeadm have it.
func (s *segment) haproxy() []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, `defaults
  mode tcp
  timeout connect 5s
  timeout client 1m
  timeout server 1m
frontend api
  bind %s
  default_backend servers
backend servers
  balance roundrobin
  option httpchk GET /readyz
  default-server check check-ssl verify none inter 500ms
`, s.routes[2].at[0])
	for i, at := range s.routes[0].at {
		fmt.Fprintf(&text, "  server node-%d %s\n", i+1, at)
	}
	return text.Bytes()
}

// await waits until each route leads to all servers.
func (s *segment) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for _, r := range s.routes {
		seen := make(map[byte]bool)
		for i := 0; len(seen) < len(s.nodes); i++ {
			var id byte
			err := s.client.do(func() (err error) {
				_, id, err = r.request(ctx, i)
				return err
			})
			if err == nil {
				seen[id] = true
			}
			if waited := wait(ctx, 20*time.Millisecond); waited != nil {
				return fmt.Errorf("%s leads to %d of %d servers: %w", r.name, len(seen), len(s.nodes), errors.Join(err, waited))
			}
		}
	}
	return nil
}
