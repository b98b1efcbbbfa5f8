package main

import (
	"bytes"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/controlplane/address"
	"github.com/heraldlb/herald/controlplane/balancer"
	"github.com/heraldlb/herald/controlplane/handover"
)

func TestMain(m *testing.M) {
	if os.Getenv(asManager) != "" || os.Getenv(agentVariable) != "" {
		os.Exit(m.Run()) // This is no test, but what one runs.
	}
	l2test.Main(m)
}

// clean runs herald cleanup.
func clean(t *testing.T, args ...string) (said string, err error) {
	t.Helper()
	var out bytes.Buffer
	cmd := newCleanupCommand()
	cmd.SetArgs(append([]string{}, args...)) // nil would be those of the test
	cmd.SetOut(&out)
	cmd.SetErr(t.Output())
	cmd.SilenceUsage = true
	err = cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// leave leaves what an announcer leaves that is killed while it has two VIPs, one of them
// just taken over from another node, with a load balancer.
func leave(t *testing.T, on netlink.Link, vips []netip.Addr) {
	t.Helper()
	for _, vip := range vips {
		if err := address.Set(on.Attrs().Index, vip, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if err := handover.Pass(vips[0], netip.MustParseAddr("192.0.2.99"), on.Attrs().Index); err != nil {
		t.Fatal(err)
	}
	conn, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	conn.AddTable(&nftables.Table{Name: balancer.Table, Family: nftables.TableFamilyINet})
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
}

// What a crash left goes, is named, and nothing else goes.
func TestCleanup(t *testing.T) {
	here, other := l2test.Here(t), l2test.NewHost(t)
	l2test.Cable(t, here, "eth0", other, "eth0")
	l2test.Cable(t, here, "eth1", other, "eth1")
	here.Address(t, "eth0", "192.0.2.1/24", "192.0.2.30/32")
	vips := []netip.Addr{netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("2001:db8::10")}
	nothing := "nothing of Herald's is on this host\n"
	if said, err := clean(t); err != nil || said != nothing {
		t.Errorf("on a clean host: %q, %v", said, err)
	}
	leave(t, here.Link(t, "eth0"), vips)
	elsewhere := netip.MustParseAddr("192.0.2.20")
	if err := address.Set(here.Link(t, "eth1").Attrs().Index, elsewhere, time.Hour); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"192.0.2.10: off eth0", "nftables table inet herald-controlplane: removed",
		"nftables tables ip, ip6, arp herald-handover: removed", "",
	}
	if said, err := clean(t, "--vip", "192.0.2.10", "--vip", "192.0.2.20", "--interface", "eth0"); err != nil || said != strings.Join(want, "\n") {
		t.Errorf("one VIP on one interface: %q, %v", said, err)
	}
	if said, err := clean(t); err != nil || said != "192.0.2.20: off eth1\n2001:db8::10: off eth0\n" {
		t.Errorf("the rest: %q, %v", said, err)
	}
	if said, err := clean(t); err != nil || said != nothing {
		t.Errorf("after all: %q, %v", said, err)
	}
	all, err := here.AddrList(here.Link(t, "eth0"), netlink.FAMILY_V4)
	if err != nil || len(all) != 2 {
		t.Errorf("the node's own addresses are %v, %v", all, err)
	}
}

func TestCleanupFlags(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"--vip cp.example", `--vip "cp.example"`},
		{"--interface eth9", `--interface "eth9"`},
		{"eth0", "eth0"},
	} {
		if _, err := clean(t, strings.Fields(tt.args)...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s named", tt.args, err, tt.want)
		}
	}
	err := l2test.Without(unix.CAP_NET_ADMIN, func() error {
		_, err := clean(t)
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
		t.Errorf("without the right: %v", err)
	}
}
