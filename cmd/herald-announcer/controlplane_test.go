package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/controlplane"
	"github.com/heraldlb/herald/controlplane/entrusted"
)

// plane is a segment with three nodes, on each an API server's stand-in and an
// announcer that may hold the VIPs, and a client.
type plane struct {
	*cluster
	vips    []netip.Addr
	ca      string
	certs   tls.Certificate
	servers map[string]*apiServer
}

// apiServer says if it is ready; /held it answers when answer is closed, and says that it
// is asked for.
type apiServer struct {
	unready atomic.Bool
	holding chan struct{}
	answer  chan struct{}
	*http.Server
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/held" {
		s.holding <- struct{}{}
		<-s.answer
		_, _ = io.Copy(w, r.Body)
		return
	}
	if s.unready.Load() {
		http.Error(w, "[-]etcd failed: reason withheld", http.StatusInternalServerError)
		return
	}
	fmt.Fprint(w, "ok")
}

func newPlane(t *testing.T, vips ...string) *plane {
	t.Helper()
	p := &plane{cluster: newCluster(t, 3, 0), servers: make(map[string]*apiServer)}
	for _, text := range vips {
		p.vips = append(p.vips, netip.MustParseAddr(text))
	}
	p.ca, p.certs = certificate(t)
	for name, n := range p.nodes {
		p.servers[name] = serve(t, n.Host, p.certs)
	}
	return p
}

// serve runs an API server's stand-in on a host.
func serve(t *testing.T, on *l2test.Host, pair tls.Certificate) *apiServer {
	t.Helper()
	s := &apiServer{holding: make(chan struct{}, 8), answer: make(chan struct{})}
	s.Server = &http.Server{Handler: s, ReadHeaderTimeout: time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	var listener net.Listener
	on.Do(t, func() (err error) {
		listener, err = new(net.ListenConfig).Listen(context.WithoutCancel(t.Context()), "tcp", "[::]:6443")
		return err
	})
	go func() {
		_ = s.Serve(tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}))
	}()
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// certificate makes one for "kubernetes", which is its own authority; the file is that.
func certificate(t *testing.T) (file string, pair tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"kubernetes"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "ca.crt")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(file, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return file, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// start starts the announcer of a node.
func (p *plane) start(name string, args ...string) {
	p.t.Helper()
	args = append([]string{"--controlplane", "--health-ca", p.ca}, args...)
	for _, vip := range p.vips {
		args = append(args, "--vip", vip.String())
	}
	p.nodes[name].run(p.t, p.program, args...)
}

// holds reports whether a node has a VIP on an interface.
func (p *plane) holds(name string, vip netip.Addr) bool {
	p.t.Helper()
	all, err := p.nodes[name].AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, a := range all {
		if got, _ := netip.AddrFromSlice(a.IP); got.Unmap() == vip {
			return true
		}
	}
	return false
}

// holder waits until one of the nodes alone holds all VIPs, and returns it.
func (p *plane) holder(among ...string) (holder string) {
	p.t.Helper()
	l2test.Poll(p.t, fmt.Sprintf("one holder of %v among %v", p.vips, among), func() bool {
		holder = ""
		for _, name := range among {
			for _, vip := range p.vips {
				switch {
				case !p.holds(name, vip):
				case holder == "", holder == name:
					holder = name
				default:
					return false
				}
			}
		}
		for _, vip := range p.vips {
			if holder == "" || !p.holds(holder, vip) {
				return false
			}
		}
		return true
	})
	return holder
}

// get asks for /readyz at a VIP on a new connection, as the client.
func (p *plane) get(vip netip.Addr) error {
	failed := make(chan error, 1)
	p.client.Do(p.t, func() error {
		failed <- get(p.t.Context(), netip.AddrPortFrom(vip, 6443))
		return nil
	})
	return <-failed
}

func get(ctx context.Context, at netip.AddrPort) error {
	ctx, cancel := context.WithTimeout(ctx, l2test.Patience)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", at.String())
	if err != nil {
		return err
	}
	client := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // who answers matters, not who that is
	defer func() { _ = client.Close() }()
	if _, err := fmt.Fprint(client, "GET /readyz HTTP/1.0\r\n\r\n"); err != nil {
		return err
	}
	answer, err := io.ReadAll(client)
	if err == nil && len(answer) == 0 {
		err = errors.New("no answer")
	}
	return err
}

// reachable checks that the client reaches all VIPs.
func (p *plane) reachable() {
	p.t.Helper()
	for _, vip := range p.vips {
		if err := p.get(vip); err != nil {
			p.t.Errorf("the client at %s: %v", vip, err)
		}
	}
}

func (p *plane) others(name string) (others []string) {
	for other := range p.nodes {
		if other != name {
			others = append(others, other)
		}
	}
	return others
}

func (p *plane) signal(name string, signal syscall.Signal) *exec.Cmd {
	p.t.Helper()
	process := p.nodes[name].process
	if err := process.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
	return process
}

// One node holds both VIPs; when it crashes, another does, and the client gets there.
func TestControlPlaneCrash(t *testing.T) {
	p := newPlane(t, "10.0.0.50", "2001:db8::50")
	for name := range p.nodes {
		p.start(name)
	}
	first := p.holder("node-1", "node-2", "node-3")
	p.reachable()
	p.sw.Down(t, first)
	_ = p.signal(first, syscall.SIGKILL).Wait()
	start := time.Now()
	second := p.holder(p.others(first)...)
	t.Logf("from %s to %s in %s", first, second, time.Since(start))
	p.reachable()
	// What the crash left, the kernel takes off by itself.
	l2test.Poll(t, "the kernel of the dead to take the VIP off", func() bool {
		return !p.holds(first, p.vips[0]) && !p.holds(first, p.vips[1])
	})
	p.sw.Up(t, first)
	p.start(first)
	if again := p.holder("node-1", "node-2", "node-3"); again != second {
		t.Errorf("who came back took the VIP: %s", again)
	}
}

// A holder that is told to end, and one whose API server is not ready, hand over: of the
// requests that are made all the time, each on a new connection, none fails.
func TestControlPlaneHandOver(t *testing.T) {
	p := newPlane(t, "10.0.0.50", "2001:db8::50")
	for name := range p.nodes {
		p.start(name)
	}
	first := p.holder("node-1", "node-2", "node-3")
	lost := p.flow()
	p.servers[first].unready.Store(true)
	second := p.holder(p.others(first)...)
	l2test.Poll(t, "the unready to give up", func() bool { return !p.holds(first, p.vips[0]) })
	if err := p.signal(second, syscall.SIGTERM).Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	if p.holds(second, p.vips[0]) || p.holds(second, p.vips[1]) {
		t.Error("after SIGTERM, a VIP is still there")
	}
	third := p.holder(p.others(second)...)
	if third == first {
		t.Errorf("%s holds the VIP, and is not ready", third)
	}
	count, failed := lost()
	for _, err := range failed {
		t.Errorf("of %d requests: %v", count, err)
	}
}

// call is a request, without its body.
type call struct {
	from string
	conn *tls.Conn
}

// finish sends the body, and waits for the answer.
func (c call) finish() error {
	if _, err := c.conn.Write([]byte("body")); err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReader(c.conn), nil)
	if err != nil {
		return err
	}
	_, err = io.ReadAll(answer.Body)
	return errors.Join(err, answer.Body.Close())
}

// A request that is under way when the VIP moves is answered by who had it; what is left
// of its connections after a moment is closed, and so are those of the holder's own
// processes.
func TestControlPlaneInFlight(t *testing.T) {
	p := newPlane(t, "10.0.0.50", "2001:db8::50")
	for name := range p.nodes {
		p.start(name)
	}
	first := p.holder("node-1", "node-2", "node-3")
	var calls []call
	for _, vip := range p.vips {
		for from, host := range map[string]*l2test.Host{"the client": p.client, "the holder": p.nodes[first].Host} {
			conn := open(t, host, vip)
			if _, err := fmt.Fprint(conn, "POST /held HTTP/1.1\r\nHost: vip\r\nContent-Length: 4\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			calls = append(calls, call{from + " at " + vip.String(), conn})
		}
	}
	for range calls {
		<-p.servers[first].holding
	}
	left := p.signal(first, syscall.SIGTERM)
	p.holder(p.others(first)...)
	close(p.servers[first].answer) // they have a second from the hand-over on
	for _, c := range calls {
		if err := c.finish(); err != nil {
			t.Errorf("%s, under way: %v", c.from, err)
		}
	}
	p.reachable()
	if err := left.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	for _, c := range calls {
		_ = c.conn.SetReadDeadline(time.Now().Add(l2test.Patience))
		if _, err := c.conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.ECONNABORTED) {
			t.Errorf("%s, afterwards: %v, want it reset", c.from, err)
		}
	}
}

// open connects a host to the API server at a VIP.
func open(t *testing.T, from *l2test.Host, vip netip.Addr) *tls.Conn {
	t.Helper()
	var conn net.Conn
	from.Do(t, func() (err error) {
		conn, err = new(net.Dialer).DialContext(t.Context(), "tcp", netip.AddrPortFrom(vip, 6443).String())
		return err
	})
	t.Cleanup(func() { _ = conn.Close() })
	return tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // who answers matters, not who that is
}

// flow has the client ask all the time, on a new connection each time, until the result
// is asked for: when all have been answered.
func (p *plane) flow() (result func() (count int, failed []error)) {
	stop, done := make(chan struct{}), make(chan []error)
	count := 0
	ticker := time.NewTicker(5 * time.Millisecond)
	go func() {
		var mu sync.Mutex
		var asking sync.WaitGroup
		var all []error
		var slowest time.Duration
		for {
			select {
			case <-stop:
				ticker.Stop()
				asking.Wait()
				p.t.Logf("%d requests, the slowest took %s", count, slowest) // a packet that is lost is sent again after a second
				done <- all
				return
			case <-ticker.C:
				count++
				number, vip := count, p.vips[count%len(p.vips)]
				asking.Go(func() {
					start := time.Now()
					err := p.get(vip)
					mu.Lock()
					defer mu.Unlock()
					slowest = max(slowest, time.Since(start))
					if err != nil {
						all = append(all, fmt.Errorf("request %d at %s to %s: %w", number, start.Format("05.000"), vip, err))
					}
				})
			}
		}
	}()
	return func() (int, []error) {
		close(stop)
		all := <-done
		return count, all
	}
}

// An announcer that is killed leaves its VIP to the kernel, which takes it off; one
// that is started again takes it off at once. One that hangs holds nothing for long.
func TestControlPlaneKill(t *testing.T) {
	p := newPlane(t, "10.0.0.50", "2001:db8::50")
	for name := range p.nodes {
		p.start(name)
	}
	first := p.holder("node-1", "node-2", "node-3")
	_ = p.signal(first, syscall.SIGKILL).Wait()
	p.start(first)
	second := p.holder(p.others(first)...)
	l2test.Poll(t, "what was left to be swept", func() bool { return !p.holds(first, p.vips[0]) })
	p.signal(second, syscall.SIGSTOP)
	p.holder(p.others(second)...)
	l2test.Poll(t, "the kernel to take off the VIP of who hangs", func() bool {
		return !p.holds(second, p.vips[0]) && !p.holds(second, p.vips[1])
	})
	// It still claims what it had, and so does who took over: the one that weighs more keeps
	// it. Until they have heard each other, a connection may be closed with the loser.
	p.signal(second, syscall.SIGCONT)
	p.holder("node-1", "node-2", "node-3")
	for _, vip := range p.vips {
		l2test.Poll(t, vip.String()+" to be reached", func() bool { return p.get(vip) == nil })
	}
	p.holder("node-1", "node-2", "node-3")
}

// A VIP that somebody takes off is put back; one that a stranger uses is not taken.
func TestControlPlaneStranger(t *testing.T) {
	p := newPlane(t, "10.0.0.50")
	p.start("node-1")
	p.holder("node-1")
	p.nodes["node-1"].NoAddress(t, "eth0", "10.0.0.50/32")
	p.holder("node-1")
	if err := p.signal("node-1", syscall.SIGTERM).Wait(); err != nil {
		t.Error(err)
	}
	p.client.Address(t, "eth0", "10.0.0.50/8")
	p.start("node-2")
	l2test.Poll(t, "the VIP to be known as the stranger's", func() bool { return p.nodes["node-2"].said.contains("another host uses the VIP") })
	if p.holds("node-2", p.vips[0]) {
		t.Error("a VIP that a stranger uses was taken")
	}

	// Who follows a holder takes the VIP at once: it is ours, whatever a stranger does by now.
	p.start("node-1")
	wire := p.listen(p.vips[0])
	p.client.NoAddress(t, "eth0", "10.0.0.50/8")
	first := p.holder("node-1", "node-2")
	p.awaitAnnouncements(wire, p.vips[0], first)
	p.client.Address(t, "eth0", "10.0.0.50/8")
	p.sw.Down(t, first)
	p.kill(first)
	p.holder(map[string]string{"node-1": "node-2", "node-2": "node-1"}[first])
}

// The VIP that another process's elector holds ends with its last word, whatever became
// of that process; and before, when that says so.
func TestControlPlaneEntrusted(t *testing.T) {
	p := newPlane(t, "10.0.0.50")
	p.start("node-1", "--elector", "raft")
	ctx, cancel := context.WithCancel(t.Context())
	seat := entrusted.NewSeat(p.nodes["node-1"].socket, slog.New(slog.NewTextHandler(t.Output(), nil)))
	done := make(chan error)
	go func() { done <- seat.Run(ctx) }()
	until := func(d time.Duration) announcer.BootTime {
		now, err := announcer.Now()
		if err != nil {
			t.Fatal(err)
		}
		return now.Add(d)
	}
	seat.Hold(controlplane.Term{Until: until(time.Minute), Probe: true})
	p.holder("node-1")
	seat.Release()
	if err := seat.Vacant(t.Context()); err != nil {
		t.Error(err)
	}
	if p.holds("node-1", p.vips[0]) {
		t.Error("the VIP is there after it was given up")
	}
	end := until(500 * time.Millisecond)
	seat.Hold(controlplane.Term{Until: end})
	p.holder("node-1")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	l2test.Poll(t, "the term to end", func() bool { return !p.holds("node-1", p.vips[0]) })
	if now := until(0); now < end {
		t.Errorf("the VIP was given up %s before the end", end.Sub(now))
	} else {
		t.Logf("the VIP was given up within %s of the end", now.Sub(end))
	}
}

// Each bad flag is an error that names it.
func TestControlPlaneFlags(t *testing.T) {
	good := []string{"--controlplane", "--vip", "10.0.0.50"}
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"no VIP":                {[]string{"--controlplane"}, "--vip"},
		"two of IPv4":           {append(good, "--vip", "10.0.0.51"), "--vip 10.0.0.51: a second address of its family"},
		"two of IPv6":           {[]string{"--controlplane", "--vip", "2001:db8::50,2001:db8::51"}, "--vip 2001:db8::51: a second address of its family"},
		"a name and an address": {append(good, "--vip", "cp.example"), "--vip cp.example: a name goes alone"},
		"mistyped":              {[]string{"--controlplane", "--vip", "10.0.0.500"}, `--vip "10.0.0.500"`},
		"mistyped, IPv6":        {[]string{"--controlplane", "--vip", "2001:db8::g"}, `--vip "2001:db8::g"`},
		"a prefix":              {[]string{"--controlplane", "--vip", "10.0.0.50/24"}, `--vip "10.0.0.50/24"`},
		"empty":                 {[]string{"--controlplane", "--vip="}, "--vip"},
		"loopback":              {[]string{"--controlplane", "--vip", "127.0.0.1"}, `--vip "127.0.0.1"`},
		"multicast":             {[]string{"--controlplane", "--vip", "ff02::1"}, `--vip "ff02::1"`},
		"unspecified":           {[]string{"--controlplane", "--vip", "0.0.0.0"}, `--vip "0.0.0.0"`},
		"with a zone":           {[]string{"--controlplane", "--vip", "fe80::1%eth0"}, `--vip "fe80::1%eth0"`},
		"look-up":               {append(good, "--vip-lookup-period", "1ms"), "--vip-lookup-period 1ms"},
		"port":                  {append(good, "--port", "0"), "--port 0"},
		"port too large":        {append(good, "--port", "65536"), "--port"},
		"elector":               {append(good, "--elector", "dice"), `--elector "dice"`},
		"another interface":     {append(good, "--elector", "bgp", "--interface", "eth0"), "--interface eth0: with --elector bgp"},
		"balanced by BGP":       {append(good, "--elector", "bgp", "--lb"), "--lb: with --elector bgp"},
		"backend":               {append(good, "--lb", "--lb-backend", "cp-1"), `--lb-backend "cp-1"`},
		"backend's port":        {append(good, "--lb", "--lb-backend", "10.0.0.1:0"), `--lb-backend "10.0.0.1:0"`},
		"backend without --lb":  {append(good, "--lb-backend", "10.0.0.1"), "--lb-backend goes with --lb"},
		"port without --lb":     {append(good, "--lb-port", "8443"), "--lb-port goes with --lb"},
		"period":                {append(good, "--health-period", "1ms"), "--health-period 1ms"},
		"timeout":               {append(good, "--health-timeout", "0s"), "--health-timeout 0s"},
		"failures":              {append(good, "--health-failures", "0"), "--health-failures 0"},
		"successes":             {append(good, "--health-successes", "-1"), "--health-successes -1"},
		"CA":                    {append(good, "--health-ca="), "--health-ca"},
		"URL":                   {append(good, "--health-url", "http://127.0.0.1:6443"), "--health-url"},
		"certificate, no key":   {append(good, "--health-cert", "client.crt"), "--health-key"},
		"heartbeat port":        {append(good, "--heartbeat-port", "0"), "--heartbeat-port 0"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := newCommand()
			cmd.SetArgs(tt.args)
			cmd.SetErr(io.Discard)
			if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %s in it", err, tt.want)
			}
		})
	}
}

// What cannot be used is named, and used when it can be: the certificate authority's file,
// the port of the heartbeats.
func TestControlPlaneBadInput(t *testing.T) {
	p := newPlane(t, "10.0.0.50")
	n := p.nodes["node-1"]
	var port net.PacketConn
	n.Do(t, func() (err error) {
		port, err = new(net.ListenConfig).ListenPacket(context.WithoutCancel(t.Context()), "udp", fmt.Sprintf(":%d", controlPlanePort))
		return err
	})
	late := filepath.Join(t.TempDir(), "ca.crt")
	p.start("node-1", "--health-ca", late)
	waitFor := func(words string) {
		t.Helper()
		l2test.Poll(t, "the announcer to say "+words, func() bool { return n.said.contains(words) })
	}
	waitFor("CA of the API server: open " + late + ": no such file or directory")
	waitFor(fmt.Sprintf("bind to UDP port %d: address already in use", controlPlanePort))
	secondEnds := func() {
		t.Helper()
		second := exec.CommandContext(t.Context(), p.program, "--controlplane", "--vip", "10.0.0.50", "--socket", n.socket)
		var out []byte
		n.Do(t, func() error {
			out, _ = second.CombinedOutput()
			return nil
		})
		if !second.ProcessState.Exited() || second.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), n.socket) {
			t.Errorf("a second one with that socket: %v, %s", second.ProcessState, out)
		}
		if strings.Contains(string(out), "a VIP of an earlier run was still there") {
			t.Errorf("a second one took the VIP off: %s", out)
		}
	}
	secondEnds()
	if err := port.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(p.ca, late); err != nil {
		t.Fatal(err)
	}
	p.holder("node-1")
	secondEnds()
	p.reachable()
}

// A second announcer of a host, in another container, waits until the first has ended.
func TestControlPlaneTwice(t *testing.T) {
	p := newPlane(t, "10.0.0.50")
	p.start("node-1")
	p.holder("node-1")
	var logs said
	second := exec.Command(p.program, "--controlplane", "--vip", "10.0.0.50", "--health-ca", p.ca, "--node-name", "node-1",
		"--socket", filepath.Join(t.TempDir(), "second.sock"))
	second.Stderr = io.MultiWriter(t.Output(), &logs)
	p.nodes["node-1"].Do(t, second.Start)
	t.Cleanup(func() {
		_ = second.Process.Kill()
		_ = second.Wait()
	})
	l2test.Poll(t, "the second one to say that it waits", func() bool { return logs.contains("another announcer on this host") })
	if err := p.signal("node-1", syscall.SIGTERM).Wait(); err != nil {
		t.Error(err)
	}
	p.holder("node-1")
	p.reachable()
	if logs.contains("a VIP of an earlier run was still there") {
		t.Error("the second one took off what the first one had")
	}
}

// A node that has a VIP for its own, and one without the interface, leave it to others.
func TestControlPlaneNoSeat(t *testing.T) {
	p := newPlane(t, "10.0.0.50", "2001:db8::50")
	p.nodes["node-1"].Address(t, "lo", "2001:db8::50/128")
	p.start("node-1")
	l2test.Poll(t, "node-1 to complain", func() bool { return p.nodes["node-1"].said.contains("the VIP is an address of this node itself") })
	p.start("node-2", "--interface", "eth7")
	l2test.Poll(t, "node-2 to complain", func() bool { return p.nodes["node-2"].said.contains("no Ethernet interface of that name") })
	p.start("node-3")
	if holder := p.holder("node-2", "node-3"); holder != "node-3" || p.holds("node-1", p.vips[0]) {
		t.Errorf("%s holds the VIPs", holder)
	}
	p.reachable()
}

// A node that does not know what the VIP's name stands for is not to be elected, by
// whichever elector, before it does.
func TestControlPlaneNameUnknown(t *testing.T) {
	p := newPlane(t)
	n := p.nodes["node-1"]
	n.run(t, p.program, "--controlplane", "--health-ca", p.ca, "--vip", "cp.invalid", "--elector", "raft")
	var logs said
	seat := entrusted.NewSeat(n.socket, slog.New(slog.NewTextHandler(io.MultiWriter(t.Output(), &logs), nil)))
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error)
	go func() { done <- seat.Run(ctx) }()
	l2test.Poll(t, "the announcer to say that it has no place", func() bool { return logs.contains("has=false") })
	server := make(chan bool, 1)
	server <- true
	if <-seat.Ready(ctx, server) {
		t.Error("ready")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A name that comes to stand for another address takes the VIP there.
func TestControlPlaneName(t *testing.T) {
	p := newPlane(t)
	hosts := filepath.Join(t.TempDir(), "hosts")
	set := func(vip string) {
		t.Helper()
		p.vips = []netip.Addr{netip.MustParseAddr(vip)}
		if err := os.WriteFile(hosts, []byte(vip+" cp.example\n"), 0o644); err != nil { //nolint:gosec // as /etc/hosts is
			t.Fatal(err)
		}
	}
	set("10.0.0.50")
	before := p.vips[0]
	for _, name := range []string{"node-1", "node-2"} {
		n := p.nodes[name]
		n.hosts = hosts
		n.run(t, p.program, "--controlplane", "--health-ca", p.ca, "--vip", "cp.example", "--vip-lookup-period", "1s")
	}
	p.holder("node-1", "node-2")
	p.reachable()
	set("10.0.0.51")
	p.holder("node-1", "node-2") // The resolver notices within 5 s that the file is another.
	p.reachable()
	l2test.Poll(t, "the VIP of before to be off", func() bool { return !p.holds("node-1", before) && !p.holds("node-2", before) })
}
