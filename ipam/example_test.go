package ipam_test

import (
	"errors"
	"fmt"
	"net/netip"

	"go4.org/netipx"

	"github.com/heraldlb/herald/ipam"
)

func Example() {
	var b netipx.IPSetBuilder
	b.AddPrefix(netip.MustParsePrefix("192.0.2.0/31"))
	set, err := b.IPSet()
	if err != nil {
		fmt.Println(err)
		return
	}
	a := ipam.New(ipam.Ascending)
	a.SetPools(ipam.Ascending, []ipam.Pool{{Name: ipam.Global, Addresses: set}})

	// What the statuses say comes first.
	a.Adopt(ipam.Request{
		Owner:     ipam.Owner{Namespace: "shop", Name: "web"},
		Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.0")},
		Ports:     []ipam.Port{{Protocol: "TCP", Number: 443}},
	})

	for _, name := range []string{"web", "mail", "dns"} {
		given, err := a.Allocate(ipam.Request{
			Owner:    ipam.Owner{Namespace: "shop", Name: name},
			Families: []ipam.Family{ipam.IPv4},
			Ports:    []ipam.Port{{Protocol: "TCP", Number: 443}},
		})
		if errors.Is(err, ipam.Exhausted) {
			fmt.Println(name, "waits:", err)
			continue
		}
		fmt.Println(name, given)
	}
	// Output:
	// web [192.0.2.0]
	// mail [192.0.2.1]
	// dns waits: pool "global" has no free IPv4 address
}
