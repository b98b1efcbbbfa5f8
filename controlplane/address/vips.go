package address

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// ParseVIPs reads what VIPs are given as: an address of each family at most, sorted, or
// the DNS name that stands for them. The error begins with the text that is at fault.
func ParseVIPs(texts []string) (all []netip.Addr, name string, err error) {
	for _, text := range texts {
		addr, err := netip.ParseAddr(text)
		switch {
		case err != nil && looksNumeric(text), err == nil && !Usable(addr):
			return nil, "", fmt.Errorf("%q: no address that a host can have", text)
		case err != nil:
			name = text
		case slices.ContainsFunc(all, func(other netip.Addr) bool { return other.Is4() == addr.Is4() }):
			return nil, "", fmt.Errorf("%s: a second address of its family: one IPv4 and one IPv6 address at most", text)
		default:
			all = append(all, addr)
		}
	}
	if name != "" && len(texts) > 1 {
		return nil, "", fmt.Errorf("%s: a name goes alone", name)
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return all, name, nil
}

// looksNumeric tells a mistyped address from a name: the last label of a name is no
// number, and has no colon.
func looksNumeric(text string) bool {
	last := text[strings.LastIndexByte(text, '.')+1:]
	_, err := strconv.ParseUint(last, 10, 64)
	return err == nil || strings.ContainsAny(text, ":/ ") || text == ""
}
