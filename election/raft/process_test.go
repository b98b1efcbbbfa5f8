package raft

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controlplane"
)

// asNode has the test's program be one node, with the options that it holds.
const asNode = "HERALD_RAFT_NODE"

func TestMain(m *testing.M) {
	if text := os.Getenv(asNode); text != "" {
		if err := beNode(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// beNode runs an Elector until SIGTERM. SIGUSR1 makes it unready, SIGUSR2 ready.
func beNode(text string) error {
	var o Options
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	elector, err := New(o, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	ready, signals := make(chan bool, 1), make(chan os.Signal, 1)
	ready <- true
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGUSR2)
	go func() {
		for s := range signals {
			ready <- s == syscall.SIGUSR2
		}
	}()
	return elector.Run(ctx, ready, new(teller))
}

// teller is a seat that tells on standard output what is done with it.
type teller struct{ mu sync.Mutex }

// told is one line of it.
type told struct {
	At    announcer.BootTime `json:"at"`
	Until announcer.BootTime `json:"until,omitempty"`
}

func (s *teller) tell(until announcer.BootTime) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, err := announcer.Now()
	if err != nil {
		panic(err)
	}
	line, err := json.Marshal(told{now, until})
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stdout, string(line))
}

func (s *teller) Hold(t controlplane.Term)     { s.tell(t.Until) }
func (s *teller) Release()                     { s.tell(0) }
func (s *teller) Renew()                       {}
func (s *teller) Vacant(context.Context) error { return nil }

// said is what processes wrote on standard error.
type said struct {
	changed chan struct{}

	mu   sync.Mutex
	text strings.Builder
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
	return s.text.Write(p)
}

func (s *said) count(text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.text.String(), text)
}

// nodes are processes that are nodes of a cluster.
type nodes struct {
	t       testing.TB
	options map[string]Options
	running map[string]*exec.Cmd
	changed chan struct{}
	said    said

	mu sync.Mutex
	// lines are what each told, in order.
	lines map[string][]told
}

// newNodes makes a cluster of three, that does not run.
func newNodes(t testing.TB, onDisk bool) *nodes {
	t.Helper()
	n := &nodes{
		t: t, options: make(map[string]Options), running: make(map[string]*exec.Cmd),
		changed: make(chan struct{}, 1), said: said{changed: make(chan struct{}, 1)}, lines: make(map[string][]told),
	}
	names := []string{"a", "b", "c"}
	var peers []Peer
	for _, name := range names {
		peers = append(peers, Peer{name, free(t)})
	}
	dir := t.TempDir()
	authority := newAuthority(t, dir)
	for _, name := range names {
		o := Options{Node: name, Peers: peers, Credentials: authority.issue(t, dir, name)}
		if onDisk {
			o.Directory = filepath.Join(dir, "state-"+name)
		}
		n.options[name] = o
	}
	t.Cleanup(func() {
		for name := range n.running {
			n.kill(name)
		}
	})
	return n
}

// free returns an address of loopback that nobody listens on.
func free(t testing.TB) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func (n *nodes) start(name string) {
	n.t.Helper()
	o, err := json.Marshal(n.options[name])
	if err != nil {
		n.t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asNode+"="+string(o))
	cmd.Stderr = io.MultiWriter(n.t.Output(), &n.said)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.running[name] = cmd
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var line told
			if json.Unmarshal(lines.Bytes(), &line) == nil {
				n.take(name, line)
			}
		}
	}()
}

func (n *nodes) take(name string, line told) {
	n.mu.Lock()
	n.lines[name] = append(n.lines[name], line)
	n.mu.Unlock()
	select {
	case n.changed <- struct{}{}:
	default:
	}
}

func (n *nodes) signal(name string, s syscall.Signal) {
	n.t.Helper()
	if err := n.running[name].Process.Signal(s); err != nil {
		n.t.Fatal(err)
	}
}

func (n *nodes) kill(name string) {
	_ = n.running[name].Process.Kill()
	_ = n.running[name].Wait()
	delete(n.running, name)
}

// holder waits until one of these holds the VIP, and returns it.
func (n *nodes) holder(among ...string) string {
	n.t.Helper()
	timeout := time.After(30 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		now, err := announcer.Now()
		if err != nil {
			n.t.Fatal(err)
		}
		n.mu.Lock()
		for _, name := range among {
			if lines := n.lines[name]; len(lines) > 0 && lines[len(lines)-1].Until > now {
				n.mu.Unlock()
				return name
			}
		}
		n.mu.Unlock()
		select {
		case <-n.changed:
		case <-tick.C:
		case <-timeout:
			n.t.Fatalf("none of %v holds the VIP", among)
		}
	}
}

// last returns who was told last to hold the VIP, "" if nobody.
func (n *nodes) last() (name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var until announcer.BootTime
	for each, lines := range n.lines {
		for _, line := range lines[max(0, len(lines)-3):] {
			if line.Until > until {
				name, until = each, line.Until
			}
		}
	}
	return name
}

// says waits until a text was logged that often.
func (n *nodes) says(text string, times int) {
	n.t.Helper()
	timeout := time.After(30 * time.Second)
	for n.said.count(text) < times {
		select {
		case <-n.said.changed:
		case <-timeout:
			n.t.Fatalf("logged %d times, want %d: %s", n.said.count(text), times, text)
		}
	}
}

// terms returns from when to when each node held the VIP.
func (n *nodes) terms() map[string][]told {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := make(map[string][]told)
	for name, lines := range n.lines {
		for i, line := range lines {
			if line.Until == 0 {
				continue
			}
			if i+1 < len(lines) {
				line.Until = min(line.Until, max(lines[i+1].At, line.At))
			}
			all[name] = append(all[name], line)
		}
	}
	return all
}

// alone fails if two nodes held the VIP at once, and returns how many terms it compared.
func (n *nodes) alone() (count int) {
	n.t.Helper()
	all := n.terms()
	for a, of := range all {
		for b, others := range all {
			if a >= b {
				continue
			}
			for _, s := range of {
				for _, u := range others {
					if count++; s.At < u.Until && u.At < s.Until {
						n.t.Errorf("%s and %s held the VIP at once for %s", a, b, min(s.Until, u.Until).Sub(max(s.At, u.At)))
					}
				}
			}
		}
	}
	return count
}

// authority signs certificates.
type authority struct {
	file        string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t testing.TB, dir string) *authority {
	t.Helper()
	a := &authority{file: filepath.Join(dir, "ca.crt")}
	a.certificate = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	a.write(t, a.file, a.certificate, &a.key.PublicKey)
	return a
}

func (a *authority) write(t testing.TB, file string, template *x509.Certificate, key *ecdsa.PublicKey) {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key, a.key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, "CERTIFICATE", der)
}

func write(t testing.TB, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// issue makes a certificate for a node of the loopback address.
func (a *authority) issue(t testing.TB, dir, name string) Credentials {
	t.Helper()
	c := Credentials{CA: a.file, Certificate: filepath.Join(dir, name+".crt"), Key: filepath.Join(dir, name+".key")}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, c.Key, "EC PRIVATE KEY", der)
	a.write(t, c.Certificate, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, &key.PublicKey)
	return c
}
