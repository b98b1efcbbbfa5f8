package config_test

import (
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go4.org/netipx"

	"github.com/heraldlb/herald/config"
)

// FuzzParse reads a ConfigMap's data from lines of "key=value"; a line without
// '=' goes on with the value before.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"cidr-global=192.168.1.240/28,2001:db8::/64\nexclude-global=192.168.1.250,2001:db8::/65",
		"range-a=10.0.0.1 - 10.0.0.9,\n 10.0.0.5-10.0.1.2\ncidr-a=10.0.0.0/30\nskip-end-ips-in-cidr=true",
		"cidr-a=10.0.0.0/24\ncidr-b=10.0.0.128/25\ncidr-global=10.0.0.0/8\nexclude-global=10.0.0.0/24",
		"cidr-global=10.0.0.1/24,,x,10.0.0.0/33,0.0.0.0/32,::ffff:1.2.3.4/128,fe80::1%eth0/64\nrange-global=9.9.9.9-1.1.1.1,1.1.1.1-::1",
		"allow-share-a=true\ninterface-a=eth0/0\nsearch-order=up\ncidrs-global=\ncidr-=\ncidr-A=1.0.0.0/8\nexclude-=1",
		"cidr-a=10.0.0.0/24\nannounce-a=bgp, l2\nannounce-global=l2\nannounce-b=arp,,bgp\nbgp.yaml=localASN: 1\npeers: [{name: a, address: 10.0.0.1, asn: 2}]\nadvertisements: [{name: a, pools: [a, c], aggregationLength: {ipv4: 8}}]",
		"cidr-v6=2000::/3\nexclude-v6=2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		data := make(map[string]string)
		key := ""
		for line := range strings.Lines(text) {
			if k, v, ok := strings.Cut(line, "="); ok {
				key, data[k] = k, v
			} else if key != "" {
				data[key] += line
			}
		}
		c, faults := config.Parse(data)
		checkFaults(t, data, c, faults)
		if c != nil {
			checkConfig(t, data, c)
		}
		_, again := config.Parse(data)
		if diff := cmp.Diff(faults, again); diff != "" {
			t.Errorf("a second run differs:\n%s", diff)
		}
	})
}

func checkFaults(t *testing.T, data map[string]string, c *config.Config, faults config.Faults) {
	t.Helper()
	if (c == nil) != (len(faults.Errors()) > 0) {
		t.Errorf("config %v beside %v", c, faults)
	}
	for _, f := range faults {
		value, known := data[f.Key]
		switch {
		case !known:
			t.Errorf("fault of a key that is not there: %#v", f)
		case f.Reason == "":
			t.Errorf("fault without a reason: %#v", f)
		case (f.Position == 0 && f.Line == 0) != (f.Column == 0) || f.Position > 0 && f.Line > 0:
			t.Errorf("fault with half a place, or two: %#v", f)
		case f.Line > strings.Count(value, "\n")+1:
			t.Errorf("fault beyond the value: %#v", f)
		case f.Position > 0 && !strings.HasPrefix(value[f.Column-1:], f.Value):
			t.Errorf("fault's value is not where it says: %#v", f)
		case f.Position > 0 && strings.Count(value[:f.Column-1], ",") != f.Position-1:
			t.Errorf("fault's position is not where its column is: %#v", f)
		case strings.ContainsAny(f.String(), "\n\r"):
			t.Errorf("fault on more than one line: %#v", f)
		}
	}
}

func checkConfig(t *testing.T, data map[string]string, c *config.Config) {
	t.Helper()
	if !slices.IsSortedFunc(c.Pools, func(a, b config.Pool) int { return strings.Compare(a.Scope, b.Scope) }) {
		t.Errorf("pools are not sorted: %v", c.Pools)
	}
	for _, pool := range c.Pools {
		named := listed(t, data, "cidr-"+pool.Scope)
		named = append(named, listed(t, data, "range-"+pool.Scope)...)
		for _, r := range pool.Addresses.Ranges() {
			if !covered(named, r) {
				t.Errorf("%s hands out %s, which is not in %v", pool.Scope, r, named)
			}
			for _, a := range []netip.Addr{r.From(), r.To()} {
				if a.IsMulticast() || a.IsLoopback() || a.IsUnspecified() || a.Is4In6() || a.Zone() != "" {
					t.Errorf("%s hands out %s", pool.Scope, a)
				}
			}
		}
		for _, r := range listed(t, data, "exclude-"+pool.Scope) {
			if pool.Addresses.OverlapsRange(r) {
				t.Errorf("%s hands out of the excluded %s", pool.Scope, r)
			}
		}
		ipv4, ipv6 := pool.Size()
		if total := new(big.Int).Add(ipv4, ipv6); (total.Sign() == 0) != (len(pool.Addresses.Ranges()) == 0) {
			t.Errorf("%s: %v addresses in %v", pool.Scope, total, pool.Addresses.Ranges())
		}
	}
}

// listed reads a valid list in another way than the parser does.
func listed(t *testing.T, data map[string]string, key string) []netipx.IPRange {
	t.Helper()
	var ranges []netipx.IPRange
	for item := range strings.SplitSeq(data[key], ",") {
		item = strings.Join(strings.Fields(item), "") // white space may stand around a '-'
		prefix, err := netip.ParsePrefix(item)
		if err == nil {
			ranges = append(ranges, netipx.RangeOfPrefix(prefix))
		} else if addr, err := netip.ParseAddr(item); err == nil {
			ranges = append(ranges, netipx.IPRangeFrom(addr, addr))
		} else if r, err := netipx.ParseIPRange(item); err == nil {
			ranges = append(ranges, r)
		}
	}
	return ranges
}

func covered(named []netipx.IPRange, r netipx.IPRange) bool {
	var set netipx.IPSetBuilder
	for _, n := range named {
		set.AddRange(n)
	}
	whole, err := set.IPSet()
	return err == nil && whole.ContainsRange(r)
}
