// Package upnptest gives tests a home: a segment with a node, and a gateway, which is
// miniupnpd in a network namespace of its own. Its tests run by l2test.Main.
package upnptest

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/heraldlb/herald/announcer/l2/l2test"
)

// The addresses of a home: the gateway's and a node's, and one that a Service has.
const (
	GatewayAddress  = "192.0.2.1"
	NodeAddress     = "192.0.2.21"
	ServiceAddress  = "192.0.2.200"
	ExternalAddress = "11.0.0.1" // miniupnpd takes none that is reserved for examples
)

// Home is a segment with a node, which the test is, and a gateway behind which there is
// nothing.
type Home struct {
	Node, Gateway *l2test.Host
}

// New makes a home. It is gone after the test.
func New(t testing.TB) *Home {
	t.Helper()
	h := &Home{Node: l2test.Here(t), Gateway: l2test.NewHost(t)}
	l2test.Cable(t, h.Node, "eth0", h.Gateway, "eth0")
	t.Cleanup(func() { h.Node.Delete(t, "eth0") })
	l2test.Cable(t, h.Gateway, "eth1", l2test.NewHost(t), "eth0")
	h.Node.Address(t, "eth0", NodeAddress+"/24", "2001:db8::21/64")
	h.Gateway.Address(t, "eth0", GatewayAddress+"/24", "2001:db8::1/64")
	h.Gateway.Address(t, "eth1", ExternalAddress+"/24")
	if err := h.Node.RouteAdd(&netlink.Route{LinkIndex: h.Node.Link(t, "eth0").Attrs().Index, Gw: netip.MustParseAddr(GatewayAddress).AsSlice()}); err != nil {
		t.Fatal(err)
	}
	return h
}

// Daemon is a miniupnpd.
type Daemon struct {
	cmd *exec.Cmd
	log bytes.Buffer
}

// rules of nftables that miniupnpd fills.
const tables = `table inet miniupnpd {
	chain forward { type filter hook forward priority 0; jump forward_upnp; }
	chain prerouting { type nat hook prerouting priority -100; jump prerouting_upnp; }
	chain postrouting { type nat hook postrouting priority 100; jump postrouting_upnp; }
	chain forward_upnp {}
	chain prerouting_upnp {}
	chain postrouting_upnp {}
}
`

// Start starts miniupnpd at the gateway, with more lines of configuration and nothing in
// its table, and waits until it listens.
func (h *Home) Start(t testing.TB, lines ...string) *Daemon {
	t.Helper()
	directory := t.TempDir()
	config := append([]string{
		"ext_ifname=eth1", "ext_ip=" + ExternalAddress, "listening_ip=eth0", "http_port=5000", "enable_natpmp=no", "enable_upnp=yes",
		"system_uptime=no", "notify_interval=60", "uuid=00000000-0000-0000-0000-000000000001",
		"upnp_table_name=miniupnpd", "upnp_nat_table_name=miniupnpd", "upnp_forward_chain=forward_upnp",
		"upnp_nat_chain=prerouting_upnp", "upnp_nat_postrouting_chain=postrouting_upnp",
	}, lines...)
	file := filepath.Join(directory, "miniupnpd.conf")
	if err := os.WriteFile(file, []byte(strings.Join(config, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.nft(t, "flush ruleset\n"+tables)
	d := &Daemon{cmd: exec.Command(program(t, "miniupnpd"), "-d", "-f", file, "-P", filepath.Join(directory, "pid"))}
	d.cmd.Stdout, d.cmd.Stderr = &d.log, &d.log
	h.Gateway.Do(t, d.cmd.Start)
	t.Cleanup(func() {
		d.Stop(t, syscall.SIGKILL)
		if log := d.log.String(); t.Failed() {
			t.Logf("miniupnpd:\n%s", log[max(0, len(log)-4096):])
		}
	})
	l2test.Poll(t, "miniupnpd to listen", func() bool {
		conn, err := net.Dial("tcp4", GatewayAddress+":5000")
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return d
}

// Stop ends it by a signal: SIGTERM has it say farewell.
func (d *Daemon) Stop(t testing.TB, how syscall.Signal) {
	t.Helper()
	if d.cmd.ProcessState != nil {
		return
	}
	if err := d.cmd.Process.Signal(how); err != nil {
		t.Error(err)
	}
	_ = d.cmd.Wait() // it tells of the signal
}

func (h *Home) nft(t testing.TB, rules string) {
	t.Helper()
	cmd := exec.Command(program(t, "nft"), "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	h.Gateway.Do(t, func() error {
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("nft: %w: %s", err, out)
		}
		return nil
	})
}

// Client runs upnpc on the node, a client that is not ours, and returns what it prints.
func (h *Home) Client(t testing.TB, args ...string) string {
	t.Helper()
	device := "http://" + GatewayAddress + ":5000/rootDesc.xml" // so that it does not search, which takes it 2 s
	cmd := exec.Command(program(t, "upnpc"), append([]string{"-u", device}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("upnpc: %v: %s", err, out)
	}
	return string(out)
}

// Table returns the gateway's mappings, as upnpc tells them.
func (h *Home) Table(t testing.TB) string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(h.Client(t, "-l")) {
		if strings.Contains(line, "->") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines, "\n")
}

func program(t testing.TB, name string) string {
	t.Helper()
	for _, directory := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin") {
		path := filepath.Join(directory, name)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not there: `make require` installs it", name)
	return ""
}
