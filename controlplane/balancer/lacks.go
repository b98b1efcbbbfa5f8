package balancer

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// scratch is a table that lives within a transaction, to see what the kernel can.
const scratch = Table + "-try"

// check returns an error that names what the kernel lacks.
func (k *kernel) check() error {
	for _, c := range []struct {
		what string
		try  func() error
	}{
		{"nf_tables, with family inet", func() error { return k.try(func(*program) {}) }},
		{"nat chains of nf_tables (module nft_chain_nat)", func() error {
			return k.try(func(p *program) { p.chains() })
		}},
		{"expressions of nf_tables (modules nft_numgen, nft_nat, nft_ct, nft_masq)", func() error {
			return k.try(func(p *program) {
				p.chains()
				p.serve(example())
			})
		}},
		{"connection tracking over netlink (module nf_conntrack_netlink)", func() error {
			_, err := k.forget(func(netip.AddrPort, netip.AddrPort) bool { return false }, netlink.FAMILY_V4)
			return err
		}},
	} {
		if err := c.try(); err != nil {
			return fmt.Errorf("%s: %w", c.what, err)
		}
	}
	return nil
}

// try makes and removes a table in one transaction.
func (k *kernel) try(write func(*program)) error {
	p := newProgram(k.conn, scratch)
	write(p)
	k.conn.DelTable(p.table)
	return k.conn.Flush()
}

// example is of addresses for documentation (RFC 5737).
func example() service {
	a := netip.AddrFrom4([4]byte{192, 0, 2, 1})
	b := a.Next()
	return service{netip.AddrPortFrom(a, 1), []netip.AddrPort{netip.AddrPortFrom(b, 1), netip.AddrPortFrom(b.Next(), 1)}}
}
