package upnp

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/heraldlb/herald/announcer/l2/l2test"
)

// The addresses of a home: the gateway's and a node's, and one that a Service has.
const (
	gatewayAddress  = "192.0.2.1"
	nodeAddress     = "192.0.2.21"
	serviceAddress  = "192.0.2.200"
	externalAddress = "11.0.0.1" // miniupnpd takes none that is reserved for examples
)

// home is a segment with a node, which the test is, and a gateway behind which there is
// nothing.
type home struct {
	node, gateway *l2test.Host
}

func newHome(t *testing.T) *home {
	t.Helper()
	h := &home{node: l2test.Here(t), gateway: l2test.NewHost(t)}
	l2test.Cable(t, h.node, "eth0", h.gateway, "eth0")
	t.Cleanup(func() { h.node.Delete(t, "eth0") })
	l2test.Cable(t, h.gateway, "eth1", l2test.NewHost(t), "eth0")
	h.node.Address(t, "eth0", nodeAddress+"/24", "2001:db8::21/64")
	h.gateway.Address(t, "eth0", gatewayAddress+"/24", "2001:db8::1/64")
	h.gateway.Address(t, "eth1", externalAddress+"/24")
	if err := h.node.RouteAdd(&netlink.Route{LinkIndex: h.node.Link(t, "eth0").Attrs().Index, Gw: net.ParseIP(gatewayAddress)}); err != nil { //nolint:forbidigo // netlink's own type
		t.Fatal(err)
	}
	return h
}

// daemon is a miniupnpd.
type daemon struct {
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

// start starts miniupnpd at the gateway, with more lines of configuration.
func (h *home) start(t *testing.T, lines ...string) *daemon {
	t.Helper()
	directory := t.TempDir()
	config := append([]string{
		"ext_ifname=eth1", "ext_ip=" + externalAddress, "listening_ip=eth0", "http_port=5000", "enable_natpmp=no", "enable_upnp=yes",
		"system_uptime=no", "notify_interval=60", "uuid=00000000-0000-0000-0000-000000000001",
		"upnp_table_name=miniupnpd", "upnp_nat_table_name=miniupnpd", "upnp_forward_chain=forward_upnp",
		"upnp_nat_chain=prerouting_upnp", "upnp_nat_postrouting_chain=postrouting_upnp",
	}, lines...)
	file := filepath.Join(directory, "miniupnpd.conf")
	if err := os.WriteFile(file, []byte(strings.Join(config, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.nft(t, "flush ruleset\n"+tables)
	d := &daemon{cmd: exec.Command("miniupnpd", "-d", "-f", file, "-P", filepath.Join(directory, "pid"))}
	d.cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin")
	d.cmd.Path = program(t, "miniupnpd")
	d.cmd.Stdout, d.cmd.Stderr = &d.log, &d.log
	h.gateway.Do(t, d.cmd.Start)
	t.Cleanup(func() {
		d.stop(t, syscall.SIGKILL)
		if log := d.log.String(); t.Failed() {
			t.Logf("miniupnpd:\n%s", log[max(0, len(log)-4096):])
		}
	})
	return d
}

func (d *daemon) stop(t *testing.T, how syscall.Signal) {
	t.Helper()
	if d.cmd.ProcessState != nil {
		return
	}
	if err := d.cmd.Process.Signal(how); err != nil {
		t.Error(err)
	}
	_ = d.cmd.Wait() // it tells of the signal
}

func (h *home) nft(t *testing.T, rules string) {
	t.Helper()
	cmd := exec.Command(program(t, "nft"), "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	h.gateway.Do(t, func() error {
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("nft: %w: %s", err, out)
		}
		return nil
	})
}

// upnpc runs a client that is not ours on the node.
func (h *home) upnpc(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(program(t, "upnpc"), args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("upnpc: %v: %s", err, out)
	}
	return string(out)
}

// table returns the gateway's mappings, as upnpc tells them.
func (h *home) table(t *testing.T) string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(h.upnpc(t, "-l")) {
		if strings.Contains(line, "->") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines, "\n")
}

func program(t *testing.T, name string) string {
	t.Helper()
	for _, directory := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin") {
		if path := filepath.Join(directory, name); exec.Command(path).Err == nil {
			if _, err := os.Stat(path); err == nil {
				return path
			}
		}
	}
	t.Fatalf("%s is not there: `make require` installs it", name)
	return ""
}

// holder is a Mapper on the node.
type holder struct {
	*Mapper
	changes chan struct{}
	stop    func()
}

// hold runs a Mapper on the node.
func (h *home) hold(t *testing.T) *holder {
	t.Helper()
	holder := &holder{changes: make(chan struct{}, 1)}
	holder.Mapper = NewMapper(Options{Log: slog.New(slog.DiscardHandler), Changed: func() {
		select {
		case holder.changes <- struct{}{}:
		default:
		}
	}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = holder.Run(ctx) // nil
	}()
	holder.stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(holder.stop)
	return holder
}

// patience is how long anything may take.
const patience = time.Minute

// await waits until the status of a rule is as ok wants it.
func (h *holder) await(t *testing.T, of Rule, ok func(Status) bool) Status {
	t.Helper()
	timeout := time.After(patience)
	for {
		if status, there := h.Statuses()[of]; there && ok(status) {
			return status
		}
		select {
		case <-h.changes:
		case <-timeout:
			t.Fatalf("waited in vain; %s is %+v", of, h.Statuses()[of])
		}
	}
}

func (h *holder) awaitState(t *testing.T, of Rule, state State) Status {
	t.Helper()
	return h.await(t, of, func(s Status) bool { return s.State == state })
}

func (h *holder) awaitSettled(t *testing.T) {
	t.Helper()
	timeout := time.After(patience)
	for !h.Settled() {
		select {
		case <-h.changes:
		case <-timeout:
			t.Fatal("waited in vain for mappings to be removed")
		}
	}
}

func ofService(port uint16, protocol Protocol) Want {
	return Want{Rule: Rule{netip.MustParseAddr(serviceAddress), protocol, port}, For: "default/web", Lease: time.Hour}
}
