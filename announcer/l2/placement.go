package l2

import (
	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/link"
)

// place appends to sites the interfaces that an address is to be announced on.
func place(sites []site, a announcer.Announcement, interfaces []link.Interface) []site {
	for i := range interfaces {
		if ifi := &interfaces[i]; ifi.Carries(a.Address, a.Interface) {
			sites = append(sites, site{epoch: ifi.Epoch, name: ifi.Name})
		}
	}
	return sites
}

// site is an interface, as long as its epoch lasts, on which an address is
// announced or about to be.
type site struct {
	epoch uint64
	name  string
}
