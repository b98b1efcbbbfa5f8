package balancer

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/l2test"
)

// load runs a program of the holder with rules on its standard input.
func load(t testing.TB, rules string, program ...string) {
	t.Helper()
	cmd := exec.Command(program[0], program[1:]...)
	cmd.Stdin = strings.NewReader(rules)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v: %s", program, err, out)
	}
}

func file(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	must(t, err)
	return string(data)
}

// Beside the rules of kube-proxy in either mode, connections are balanced and reset
// as without them; and those to a node port go on as they did.
func TestKubeProxy(t *testing.T) {
	const none = "*mangle\nCOMMIT\n*nat\nCOMMIT\n*filter\nCOMMIT\n"
	for mode, c := range map[string]struct{ start, stop func(testing.TB) }{
		"nftables": {
			func(t testing.TB) { load(t, file(t, "kube-proxy.nft"), "nft", "-f", "-") },
			func(t testing.TB) {
				load(t, "delete table ip kube-proxy\ndelete table ip6 kube-proxy", "nft", "-f", "-")
			},
		},
		"iptables": {
			func(t testing.TB) {
				load(t, file(t, "kube-proxy.iptables4"), "iptables-restore")
				load(t, file(t, "kube-proxy.iptables6"), "ip6tables-restore")
			},
			func(t testing.TB) {
				load(t, none, "iptables-restore")
				load(t, none, "ip6tables-restore")
			},
		},
	} {
		t.Run(mode, func(t *testing.T) {
			s := newSegment(t)
			c.start(t)
			defer c.stop(t)
			s.run(1, 2, 3, 4)
			s.settled(1, 2, 3, 4)
			var lost []*stream
			for family := range families {
				for what, h := range map[string]*l2test.Host{"the segment": s.client, "the holder": s.holder, "a Pod": s.pod} {
					if counts := s.spread(h, family, 40); len(counts) != 4 {
						t.Errorf("%s from %s: %v", family, what, counts)
					}
					lost = append(lost, s.streamTo(h, family, "node-4"))
				}
				port := netip.AddrPortFrom(addrOf(family, 1), 30080)
				seen := make(map[string]bool)
				for range 20 {
					name, _, err := s.askAt(s.client, port)
					must(t, err)
					seen[name] = true
				}
				if fmt.Sprint(seen) != "map[node-2:true node-3:true]" {
					t.Errorf("at the node port of %s: %v", port, seen)
				}
			}
			s.sw.Down(t, "node-4")
			start := time.Now()
			for _, one := range lost {
				if err := one.hear(); !errors.Is(err, unix.ECONNRESET) {
					t.Errorf("on a connection to the host that crashed: %v", err)
				}
			}
			t.Logf("reset after %s", time.Since(start))
		})
	}
}
