package deploy

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/heraldlb/herald/config"
)

type data = map[string]string

// policyCase is a ConfigMap, and what the policy says of it.
type policyCase struct {
	name string
	data data
	// want are parts of the refusal; none: it is admitted.
	want []string
	// beyond says that the config package refuses it all the same.
	beyond bool
}

// testPoolPolicy holds the policy against the config package: what the policy
// refuses, config refuses, and the other way round but for the cases named.
func (c *cluster) testPoolPolicy(t *testing.T) {
	c.waitForPolicy(t)
	for _, test := range policyCases() {
		t.Run(test.name, func(t *testing.T) {
			if _, faults := config.Parse(test.data); (faults.Err() != nil) != (test.beyond || test.want != nil) {
				t.Errorf("config: %v", faults)
			}
			err := tryPools(t, c, "herald-system/herald", test.data)
			if test.want == nil {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if !apierrors.IsInvalid(err) {
				t.Fatalf("not refused: %v", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("refused without %q: %v", want, err)
				}
			}
		})
	}
	for _, example := range []string{"pool.yaml", "bgp.yaml"} {
		t.Run("the example "+example, func(t *testing.T) {
			text, err := os.ReadFile("examples/" + example)
			if err != nil {
				t.Fatal(err)
			}
			var pools corev1.ConfigMap
			if err := yaml.UnmarshalStrict(text, &pools); err != nil {
				t.Fatal(err)
			}
			if _, faults := config.Parse(pools.Data); len(faults) > 0 {
				t.Errorf("config: %v", faults)
			}
			if err := c.Create(t.Context(), &pools, client.DryRunAll); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("another ConfigMap", func(t *testing.T) {
		if err := tryPools(t, c, "herald-system/other", data{"cidr-global": "nonsense"}); err != nil {
			t.Error(err)
		}
	})
	t.Run("an unknown key", func(t *testing.T) {
		var warned warnings
		user := c.as(t, "", &warned)
		poll(t, "a warning of the key", func() bool {
			if err := tryPools(t, user, "herald-system/herald", data{"cidrs-global": "10.0.0.0/24"}); err != nil {
				t.Fatal(err)
			}
			return strings.Contains(warned.String(), "without effect, unknown: cidrs-global")
		})
	})
}

// waitForPolicy returns once the policy is in force.
func (c *cluster) waitForPolicy(t *testing.T) {
	t.Helper()
	poll(t, "the policy in force", func() bool {
		return tryPools(t, c, "herald-system/herald", data{"cidr-global": "nonsense"}) != nil
	})
}

// poll waits for what the API server loads from a watch of its own, and gives
// no other sign of.
func poll(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// tryPools asks whether a ConfigMap, NAMESPACE/NAME, is admitted.
func tryPools(t *testing.T, user client.Client, configMap string, data data) error {
	t.Helper()
	namespace, name, _ := strings.Cut(configMap, "/")
	return user.Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Data:       data,
	}, client.DryRunAll)
}

// routers is a bgp.yaml without a fault.
const routers = "localASN: 64512\npeers: [{name: a, address: 192.0.2.1, asn: 64500}]\n"

func policyCases() []policyCase {
	return []policyCase{
		{name: "nothing"},
		{name: "both families", data: data{"cidr-global": "10.0.0.0/24,2001:db8::/64", "range-global": "10.1.0.1-10.1.0.9,2001:db8:1::1-2001:db8:1::9"}},
		{name: "white space", data: data{"cidr-global": " 10.0.0.0/24 ,\n\t2001:db8::/64\n", "range-shop": " 10.1.0.1 - 10.1.0.9 ", "search-order": " desc\n"}},
		{name: "hosts and everything in between", data: data{"cidr-a": "10.0.0.1/32,2001:db8::1/128", "range-b": "10.0.0.7-10.0.0.7,2001:db8::-2001:db8::", "cidr-c": "10.0.0.0/8,2001:db8::/32"}},
		{name: "every setting", data: data{"cidr-global": "10.0.0.0/24", "search-order": "asc", "skip-end-ips-in-cidr": "true", "allow-share-global": "False", "interface-global": "bond0.100", "exclude-global": "10.0.0.1, 10.0.0.8/30,10.0.0.20-10.0.0.29"}},
		{name: "announced both ways", data: data{"cidr-global": "10.0.0.0/24", "announce-global": " l2 , bgp\n", "announce-shop": "bgp", "announce-a": "l2", "bgp.yaml": routers}},
		{name: "an empty exclude", data: data{"cidr-global": "10.0.0.0/24", "exclude-global": ""}},
		{name: "link-local IPv4", data: data{"cidr-global": "169.254.1.0/24"}},
		{name: "scopes", data: data{"cidr-a": "10.0.0.0/24", "cidr-kube-system": "10.0.1.0/24", "range-" + strings.Repeat("x", 63): "10.0.2.1-10.0.2.9"}},
		{name: "an unknown key", data: data{"cidrs-global": "nonsense"}},
		{name: "a thousand CIDRs", data: data{"cidr-global": many(1000, "10.%d.%d.0/24")}},

		{name: "no CIDR", data: data{"cidr-global": "10.0.0.0/24,nonsense"}, want: []string{`cidr-global "nonsense": not a CIDR`}},
		{name: "a line break inside", data: data{"cidr-global": "10.0.0.0/24\n10.0.1.0/24"}, want: []string{`cidr-global "10.0.0.0/24 10.0.1.0/24": not a CIDR`}},
		{name: "no prefix length", data: data{"cidr-global": "10.0.0.1"}, want: []string{`"10.0.0.1"`}},
		{name: "prefix too long", data: data{"cidr-global": "10.0.0.0/33,2001:db8::/129"}, want: []string{`"10.0.0.0/33"`, `"2001:db8::/129"`}},
		{name: "leading zeros", data: data{"cidr-global": "010.0.0.0/24,10.0.0.0/024"}, want: []string{`"010.0.0.0/24"`, `"10.0.0.0/024"`}},
		{name: "host bits", data: data{"cidr-shop": "10.0.0.1/24,2001:db8::1/64"}, want: []string{`cidr-shop "10.0.0.1/24": host bits set; did you mean 10.0.0.0/24?`, `did you mean 2001:db8::/64?`}},
		{name: "empty pool", data: data{"cidr-global": ""}, want: []string{`cidr-global ""`}},
		{name: "trailing comma", data: data{"cidr-global": "10.0.0.0/24,"}, want: []string{`cidr-global ""`}},
		{name: "range in a CIDR", data: data{"cidr-global": "10.0.0.1-10.0.0.9"}, want: []string{`"10.0.0.1-10.0.0.9": not a CIDR`}},
		{name: "IPv4-mapped", data: data{"cidr-global": "::ffff:10.0.0.0/120", "range-global": "::ffff:10.0.0.1-::ffff:10.0.0.9"}, want: []string{"cidr-global", "range-global"}},
		{name: "a zone", data: data{"range-global": "2001:db8::1%eth0-2001:db8::9%eth0"}, want: []string{"range-global"}},
		{name: "DHCP", data: data{"cidr-global": "0.0.0.0/32"}, want: []string{`"0.0.0.0/32": kube-vip's pool for DHCP`}},

		{name: "no range", data: data{"range-global": "10.0.0.1,10.0.0.1-10.0.0.2-10.0.0.3,-,a-b"}, want: []string{`"10.0.0.1"`, `"10.0.0.1-10.0.0.2-10.0.0.3"`, `"-"`, `"a-b"`}},
		{name: "mixed families", data: data{"range-global": "10.0.0.1-2001:db8::1"}, want: []string{`mixes IPv4 and IPv6`}},
		{name: "reversed", data: data{"range-global": "10.0.0.10-10.0.0.9"}, want: []string{`"10.0.0.10-10.0.0.9": reversed; did you mean 10.0.0.9-10.0.0.10?`}},
		{name: "reversed IPv6", data: data{"range-a": "2001:db8::1:0-2001:db8::ffff", "range-b": "2001:db8:0:1::-2001:db8::", "range-c": "2001:db8::A-2001:DB8::9"}, want: []string{"range-a", "range-b", "range-c"}},

		{name: "unusable", data: data{"cidr-a": "127.0.0.0/24", "cidr-b": "0.0.0.0/0", "cidr-c": "ff02::/16", "range-d": "239.255.255.255-240.0.0.1", "cidr-e": "::/0", "range-f": "fe80::1-fe80::9"}, want: []string{"cidr-a", "cidr-b", "cidr-c", "range-d", "cidr-e", "range-f"}},
		{name: "excludes", data: data{"cidr-global": "10.0.0.0/24", "exclude-global": "10.0.0.1/24,10.0.0.9-10.0.0.1,x,10.0.0.1-10.0.0.0/24"}, want: []string{`"10.0.0.1/24"`, `"10.0.0.9-10.0.0.1"`, `"x"`, `"10.0.0.1-10.0.0.0/24"`}},
		{name: "settings", data: data{"search-order": "up", "skip-end-ips-in-cidr": "yes", "allow-share-global": ""}, want: []string{`search-order "up": must be "asc" or "desc"`, `skip-end-ips-in-cidr "yes"`, "allow-share-global"}},
		{name: "interfaces", data: data{"interface-a": "eth0,eth1", "interface-b": "", "interface-c": "a-name-of-16-byte", "interface-d": "..", "interface-e": "eth 0"}, want: []string{"interface-a", "interface-b", "interface-c", "interface-d", "interface-e"}},
		{name: "announcements", data: data{"announce-a": "arp", "announce-b": "", "announce-c": "l2,", "announce-d": "l2 bgp", "announce-E": "l2"}, want: []string{`announce-a "arp": must be "l2", "bgp" or both`, "announce-b", "announce-c", "announce-d", "announce-E"}},
		{name: "bgp without routers", data: data{"cidr-global": "10.0.0.0/24", "announce-global": "l2,bgp"}, want: []string{`announce-global "l2,bgp": there is no bgp.yaml`}},
		{name: "namespaces", data: data{"cidr-": "10.0.0.0/24", "cidr-Shop": "10.0.1.0/24", "range--x": "10.0.2.1-10.0.2.9", "allow-share-a.b": "true", "interface-" + strings.Repeat("x", 64): "eth0"}, want: []string{"cidr- ", "cidr-Shop", "range--x", "allow-share-a.b", "interface-xxx"}},
		{name: "all faults at once, at some length", data: data{"cidr-a": strings.Repeat("nonsense,", 1000), "search-order": "up"}, want: []string{`cidr-a "nonsense"`, "…"}},
		{name: "the last of many", data: data{"range-global": many(500, "2001:db8:%x:%x::1-2001:db8:%[1]x:%[2]x::ff") + ",nonsense"}, want: []string{`"nonsense"`}},

		{name: "more than CEL's budget allows", data: data{"cidr-global": many(5000, "10.%d.%d.0/24") + ",nonsense"}, beyond: true},
		{name: "what bgp.yaml says", data: data{"cidr-global": "10.0.0.0/24", "announce-global": "bgp", "bgp.yaml": "localASN: 0"}, beyond: true},
		{name: "a range that spans a reserved block", data: data{"range-global": "126.255.255.255-128.0.0.0"}, beyond: true},
	}
}

// many returns a list of n entries, which format makes of two numbers.
func many(n int, format string) string {
	entries := make([]string, n)
	for i := range entries {
		entries[i] = fmt.Sprintf(format, i>>8, i&255)
	}
	return strings.Join(entries, ",")
}
