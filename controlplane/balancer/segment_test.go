package balancer

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/controlplane/health"
	"github.com/heraldlb/herald/controlplane/health/healthtest"
)

func TestMain(m *testing.M) { l2test.Main(m) }

const port = 6443

var families = map[string]struct {
	vip, pod netip.AddrPort
	network  string
	podNet   string
}{
	"IPv4": {netip.MustParseAddrPort("192.0.2.100:6443"), netip.MustParseAddrPort("10.244.0.2:0"), "192.0.2.%d/24", "10.244.0.%d/24"},
	"IPv6": {netip.MustParseAddrPort("[2001:db8::100]:6443"), netip.MustParseAddrPort("[2001:db8:1::2]:0"), "2001:db8::%d/64", "2001:db8:1::%d/64"},
}

// segment is a client, and four control-plane nodes. The first is the test process:
// it has the VIP, and a Pod.
type segment struct {
	t      testing.TB
	holder *l2test.Host
	client *l2test.Host
	pod    *l2test.Host
	sw     *l2test.Host
	ca     string
	ours   *healthtest.Authority
	nodes  []*node
}

// node is a control-plane node with its API server.
type node struct {
	name   string
	host   *l2test.Host
	server map[string]*httptest.Server // by family
	unwell atomic.Bool
}

func addrOf(family string, i int) netip.Addr {
	return netip.MustParsePrefix(fmt.Sprintf(families[family].network, i)).Addr()
}

func newSegment(t testing.TB) *segment {
	s := &segment{t: t, holder: l2test.Here(t), client: l2test.NewHost(t), pod: l2test.NewHost(t), sw: l2test.NewHost(t)}
	s.holder.Up(t, "lo")
	must(t, s.sw.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br0"}}))
	s.sw.Up(t, "br0")
	s.ours, s.ca = healthtest.NewAuthority(t), filepath.Join(t.TempDir(), "ca.crt")
	s.ours.Write(t, s.ca)
	s.join("client", s.client, 50)
	for i := range 4 {
		n := &node{name: fmt.Sprintf("node-%d", i+1), host: s.holder, server: make(map[string]*httptest.Server)}
		if i > 0 {
			n.host = l2test.NewHost(t)
		}
		s.join(n.name, n.host, i+1)
		s.nodes = append(s.nodes, n)
		for family := range families {
			n.serve(s, family)
		}
	}
	l2test.Cable(t, s.holder, "pod0", s.pod, "eth0")
	for _, f := range families {
		s.holder.Address(t, "pod0", fmt.Sprintf(f.podNet, 1))
		s.pod.Address(t, "eth0", fmt.Sprintf(f.podNet, 2))
		// As Herald adds it: never the source of what the host sends by itself.
		bits := f.vip.Addr().BitLen()
		must(t, s.holder.AddrAdd(s.holder.Link(t, "eth0"), &netlink.Addr{
			IPNet: &net.IPNet{IP: f.vip.Addr().AsSlice(), Mask: net.CIDRMask(bits, bits)}, ValidLft: 3600, Flags: unix.IFA_F_NODAD,
		}))
		gateway := netip.MustParsePrefix(fmt.Sprintf(f.podNet, 1)).Addr()
		must(t, s.pod.RouteAdd(&netlink.Route{LinkIndex: s.pod.Link(t, "eth0").Attrs().Index, Gw: gateway.AsSlice()}))
	}
	s.holder.Sysctl(t, "net/ipv4/ip_forward", "1")
	s.holder.Sysctl(t, "net/ipv6/conf/all/forwarding", "1")
	return s
}

func (s *segment) join(name string, h *l2test.Host, i int) {
	l2test.Cable(s.t, s.sw, name, h, "eth0")
	must(s.t, s.sw.LinkSetMaster(s.sw.Link(s.t, name), s.sw.Link(s.t, "br0")))
	for _, f := range families {
		h.Address(s.t, "eth0", fmt.Sprintf(f.network, i))
	}
}

// serve starts the node's API server on all its addresses: it says the node's name,
// and echoes.
func (n *node) serve(s *segment, family string) {
	var l net.Listener
	n.host.Do(s.t, func() (err error) {
		l, err = net.Listen(map[string]string{"IPv4": "tcp4", "IPv6": "tcp6"}[family], fmt.Sprintf(":%d", port))
		return err
	})
	n.server[family] = healthtest.Serve(s.t, l, s.ours.Sign(s.t, time.Hour), func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/readyz":
			if n.unwell.Load() {
				w.WriteHeader(http.StatusInternalServerError)
			}
		case "/echo":
			conn, buffered, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nNode: "+n.name+"\r\n\r\n")
			_, _ = io.Copy(conn, buffered)
			_ = conn.Close()
		default:
			_, _ = io.WriteString(w, n.name+" "+r.RemoteAddr)
		}
	}, func(server *httptest.Server) { server.EnableHTTP2 = false })
}

// backends are the API servers of some nodes, counted from 1.
func (s *segment) backends(nodes ...int) (all []netip.AddrPort) {
	for family := range families {
		for _, i := range nodes {
			all = append(all, netip.AddrPortFrom(addrOf(family, i), port))
		}
	}
	return all
}

func frontends() (all []netip.AddrPort) {
	for _, f := range families {
		all = append(all, f.vip)
	}
	return all
}

func (s *segment) options(log *slog.Logger) Options {
	return Options{
		Health: health.Options{CA: s.ca, ServerName: healthtest.ServerName, Period: 100 * time.Millisecond, Timeout: time.Second},
		Log:    log,
	}
}

// run starts a balancer on the holder.
func (s *segment) run(nodes ...int) (b *Balancer, stop func()) {
	b = New(s.options(slog.New(slog.NewTextHandler(s.t.Output(), nil))))
	b.SetFrontends(frontends())
	b.SetBackends(s.backends(nodes...))
	ctx, cancel := context.WithCancel(s.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			s.t.Error(err)
		}
	})
	s.t.Cleanup(stop)
	return b, stop
}

// dial opens a connection from a host.
func (s *segment) dial(h *l2test.Host, at netip.AddrPort) (*tls.Conn, error) {
	var conn net.Conn
	var failed error
	h.Do(s.t, func() error {
		conn, failed = (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: -1}).Dial("tcp", at.String())
		return nil
	})
	if failed != nil {
		return nil, failed
	}
	return tls.Client(conn, &tls.Config{InsecureSkipVerify: true}), nil
}

// ask returns the name of the node that answers on a new connection to the VIP, and
// the address that it saw.
func (s *segment) ask(h *l2test.Host, family string) (name string, from netip.AddrPort, err error) {
	return s.askAt(h, families[family].vip)
}

func (s *segment) askAt(h *l2test.Host, at netip.AddrPort) (name string, from netip.AddrPort, err error) {
	conn, err := s.dial(h, at)
	if err != nil {
		return "", from, err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(3 * time.Second))
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: kubernetes\r\nConnection: close\r\n\r\n"); err != nil {
		return "", from, err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "", from, err
	}
	defer func() { _ = response.Body.Close() }()
	var remote string
	if _, err := fmt.Fscan(response.Body, &name, &remote); err != nil {
		return "", from, err
	}
	from, err = netip.ParseAddrPort(remote)
	return name, from, err
}

// spread counts who answers so many new connections.
func (s *segment) spread(h *l2test.Host, family string, count int) map[string]int {
	s.t.Helper()
	counts := make(map[string]int)
	for range count {
		name, _, err := s.ask(h, family)
		if err != nil {
			s.t.Fatalf("%s: %v", family, err)
		}
		counts[name]++
	}
	return counts
}

// settled waits until just these nodes, counted from 1, answer on both families.
func (s *segment) settled(nodes ...int) {
	s.t.Helper()
	for family := range families {
		l2test.Poll(s.t, fmt.Sprintf("%s to go to %v", family, nodes), func() bool {
			seen := make(map[string]bool)
			for range 15 * len(nodes) {
				name, _, err := s.ask(s.client, family)
				if err != nil {
					return false
				}
				seen[name] = true
			}
			for _, i := range nodes {
				if !seen[fmt.Sprintf("node-%d", i)] {
					return false
				}
			}
			return len(seen) == len(nodes)
		})
	}
}

// stream is a long connection that echoes.
type stream struct {
	conn *tls.Conn
	at   string // the node
}

func (s *segment) stream(h *l2test.Host, family string) *stream {
	s.t.Helper()
	conn, err := s.dial(h, families[family].vip)
	must(s.t, err)
	s.t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, "GET /echo HTTP/1.1\r\nHost: kubernetes\r\n\r\n")
	must(s.t, err)
	response, err := http.ReadResponse(bufio.NewReaderSize(conn, 1), nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		s.t.Fatalf("%v: %v", response, err)
	}
	_ = response.Body.Close()
	return &stream{conn, response.Header.Get("Node")}
}

// streamTo opens connections until one is to a node.
func (s *segment) streamTo(h *l2test.Host, family, name string) *stream {
	s.t.Helper()
	for {
		if one := s.stream(h, family); one.at == name {
			return one
		}
	}
}

// echo sends and receives.
func (s *stream) echo() error {
	_ = s.conn.SetDeadline(time.Now().Add(time.Second))
	const text = "are you there?"
	if _, err := io.WriteString(s.conn, text); err != nil {
		return err
	}
	answer := make([]byte, len(text))
	if _, err := io.ReadFull(s.conn, answer); err != nil {
		return err
	}
	if string(answer) != text {
		return errors.New("another echo")
	}
	return nil
}

// hear only receives, what nobody sends.
func (s *stream) hear() error {
	_ = s.conn.SetDeadline(time.Now().Add(l2test.Patience))
	_, err := s.conn.Read(make([]byte, 1))
	return err
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// here says if the holder has the balancer's table.
func here(t testing.TB) bool {
	t.Helper()
	k, err := openKernel()
	must(t, err)
	defer k.close()
	there, err := k.there()
	must(t, err)
	return there
}
