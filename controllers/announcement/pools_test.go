package announcement

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/config"
)

// Whose holders differ is announced in each of their ways; kube-vip's environment is for
// who has no bgp.yaml.
func TestAnnounce(t *testing.T) {
	const routers = "localASN: 65000\npeers: [{name: r, address: 192.0.2.254, asn: 65001}]\n"
	of := func(namespaces ...string) (holders []corev1.Service) {
		for _, n := range namespaces {
			holders = append(holders, corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: n, Name: "web"}})
		}
		return holders
	}
	split := map[string]string{
		"cidr-global": "192.0.2.0/28", "announce-global": "l2", "cidr-shop": "198.51.100.0/24", "announce-shop": "bgp", "bgp.yaml": routers,
	}
	l2 := map[string]string{"cidr-global": "192.0.2.0/28"}
	for name, test := range map[string]struct {
		data    map[string]string
		byBGP   bool
		holders []corev1.Service
		want    config.Announce
		scope   string
	}{
		"no pools":                 {nil, false, of("a"), config.Announce{L2: true}, ""},
		"no pools, kube-vip's BGP": {nil, true, of("a"), config.Announce{BGP: true}, ""},
		"pools":                    {l2, false, of("a"), config.Announce{L2: true}, "global"},
		"pools, kube-vip's BGP":    {l2, true, of("a"), config.Announce{BGP: true}, "global"},
		"the namespace's pool":     {split, false, of("shop"), config.Announce{BGP: true}, "shop"},
		"the global one":           {split, false, of("a"), config.Announce{L2: true}, "global"},
		"bgp.yaml before kube-vip": {split, true, of("a"), config.Announce{L2: true}, "global"},
		"shared by two namespaces": {split, false, of("a", "shop"), config.Announce{L2: true, BGP: true}, "global"},
	} {
		p := &pools{byBGP: test.byBGP}
		if test.data != nil {
			parsed, faults := config.Parse(test.data)
			if parsed == nil {
				t.Fatal(faults)
			}
			p.good.Store(parsed)
		}
		if got := p.announce(test.holders); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
		if got := p.scope(test.holders[0].Namespace); got != test.scope {
			t.Errorf("%s: scope %q, want %q", name, got, test.scope)
		}
	}
}
