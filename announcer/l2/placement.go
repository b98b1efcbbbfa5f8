package l2

import (
	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/link"
)

// place appends to sites the interfaces that an address is to be announced on:
// the one that is named, or all on which it is on-link. They have to be up.
// A link-local address is on-link everywhere: one has to say where.
func place(sites []site, a announcer.Announcement, interfaces []link.Interface) []site {
	for i := range interfaces {
		ifi := &interfaces[i]
		switch {
		case !ifi.Up:
			continue
		case a.Interface != "" && a.Interface != ifi.Name:
			continue
		case a.Interface == "" && (a.Address.IsLinkLocalUnicast() || !ifi.OnLink(a.Address)):
			continue
		}
		sites = append(sites, site{epoch: ifi.Epoch, name: ifi.Name})
	}
	return sites
}

// site is an interface, as long as its epoch lasts, on which an address is
// announced or about to be.
type site struct {
	epoch uint64
	name  string
}
