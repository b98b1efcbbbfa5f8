package scene

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/router"
)

// RouterAddress gives the router one more address on the segment until the case ends.
func (st *Stage) RouterAddress(ctx context.Context, family int) netip.Addr {
	GinkgoHelper()
	own := st.own(ctx, st.Router, family)
	address := st.Spare.V4.To
	if family == 6 {
		address = st.Spare.V6.To
	}
	for taken := true; taken; {
		var err error
		taken, err = st.owns(ctx, st.Router, address)
		Expect(err).NotTo(HaveOccurred())
		if taken {
			address = address.Prev()
		}
	}
	st.addAddress(ctx, st.Router, netip.PrefixFrom(address, own.Bits()))
	return address
}

// HostAddress returns a host's own address on the segment, of a family: 4 or 6.
func (st *Stage) HostAddress(ctx context.Context, host string, family int) netip.Addr {
	GinkgoHelper()
	return st.own(ctx, host, family).Addr()
}

// LinkLocal returns a host's link-local address on the segment.
func (st *Stage) LinkLocal(ctx context.Context, host string) netip.Addr {
	GinkgoHelper()
	return st.find(ctx, host, func(address netip.Addr) bool { return address.Is6() && address.IsLinkLocalUnicast() }).Addr()
}

func (st *Stage) neighbors(ctx context.Context, family int) []router.Neighbor {
	GinkgoHelper()
	var neighbors []router.Neighbor
	for _, node := range st.Nodes {
		neighbors = append(neighbors, router.Neighbor{Name: node, Address: st.HostAddress(ctx, node, family)})
	}
	return neighbors
}

// own returns the first of a host's addresses on the segment that is of a family and not
// link-local.
func (st *Stage) own(ctx context.Context, host string, family int) netip.Prefix {
	GinkgoHelper()
	return st.find(ctx, host, func(address netip.Addr) bool { return address.Is4() == (family == 4) && !address.IsLinkLocalUnicast() })
}

// find returns the first of a host's addresses on the segment that is wanted.
func (st *Stage) find(ctx context.Context, host string, wanted func(netip.Addr) bool) netip.Prefix {
	GinkgoHelper()
	addresses, err := st.addresses(ctx, host)
	Expect(err).NotTo(HaveOccurred())
	for _, address := range addresses {
		if wanted(address.Addr()) {
			return address
		}
	}
	Fail(fmt.Sprintf("%s lacks an address on %s: %s", host, st.Interface, addresses))
	return netip.Prefix{}
}

func (st *Stage) owns(ctx context.Context, host string, address netip.Addr) (bool, error) {
	addresses, err := st.addresses(ctx, host)
	for _, own := range addresses {
		if own.Addr() == address {
			return true, err
		}
	}
	return false, err
}

// addresses returns all that a host has on the segment.
func (st *Stage) addresses(ctx context.Context, host string) ([]netip.Prefix, error) {
	output, err := st.run(ctx, host, "ip", "-json", "address", "show", "dev", st.Interface)
	if err != nil {
		return nil, err
	}
	var links []struct {
		Addresses []struct {
			Local  netip.Addr `json:"local"`
			Length int        `json:"prefixlen"`
		} `json:"addr_info"`
	}
	if err := json.Unmarshal(output, &links); err != nil {
		return nil, fmt.Errorf("addresses of %s: %w: %s", host, err, output)
	}
	var addresses []netip.Prefix
	for _, link := range links {
		for _, address := range link.Addresses {
			addresses = append(addresses, netip.PrefixFrom(address.Local, address.Length))
		}
	}
	return addresses, nil
}
