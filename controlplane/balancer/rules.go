package balancer

import (
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/controlplane/match"
)

// Table is the name of the nftables table, of family inet, that is the balancer's.
const Table = "herald-controlplane"

// Chains come before those of kube-proxy and of the distribution's firewall (-100
// and 100): who translates a connection first is the only one to.
const (
	beforeNATDest   = -110
	beforeNATSource = 90
)

// loopback is the index of lo, in each network namespace.
const loopback = 1

// program writes the rules for the services into a batch.
type program struct {
	batch *nftables.Conn
	table *nftables.Table

	prerouting, output, postrouting *nftables.Chain
}

// newProgram writes a table that has no rules; one that is there already loses
// them, and keeps its chains.
func newProgram(batch *nftables.Conn, name string) *program {
	p := &program{batch: batch, table: batch.AddTable(&nftables.Table{Name: name, Family: nftables.TableFamilyINet})}
	batch.FlushTable(p.table)
	return p
}

// chains writes the chains, which may be there.
func (p *program) chains() {
	chain := func(name string, hook *nftables.ChainHook, priority nftables.ChainPriority) *nftables.Chain {
		return p.batch.AddChain(&nftables.Chain{
			Name: name, Table: p.table, Type: nftables.ChainTypeNAT, Hooknum: hook, Priority: &priority,
		})
	}
	p.prerouting = chain("prerouting", nftables.ChainHookPrerouting, beforeNATDest)
	p.output = chain("output", nftables.ChainHookOutput, beforeNATDest)
	p.postrouting = chain("postrouting", nftables.ChainHookPostrouting, beforeNATSource)
}

// serve has new connections to a frontend go to its targets, each to one by chance:
// whoever the client is, for few have most of the connections.
//
// Each target has a rule of its own. One rule with a map of all would not be replaced in
// one step: the kernel looks for a map's elements in the generation that is there when it
// gets to the map, and for the rule in the one that was there when it came to the chain.
func (p *program) serve(s service) {
	for _, chain := range []*nftables.Chain{p.prerouting, p.output} {
		for i, target := range s.targets {
			// The rest of a connection that is not known, since its backend is dead or the VIP
			// came from another host, is left to this host's TCP, which resets it.
			p.rule(chain, matchFrontend(s.frontend), match.SYN(), matchOneIn(len(s.targets)-i), translate(target))
		}
	}
	// What leaves the host is to come back to it.
	p.rule(p.postrouting, matchTranslated(s.frontend), []expr.Any{
		&expr.Meta{Key: expr.MetaKeyOIF, Register: unix.NFT_REG_1},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: unix.NFT_REG_1, Data: binaryutil.NativeEndian.PutUint32(loopback)},
		&expr.Masq{FullyRandom: true},
	})
}

// matchOneIn matches one in so many, by chance.
func matchOneIn(many int) []expr.Any {
	if many == 1 {
		return nil
	}
	return []expr.Any{
		&expr.Numgen{Register: unix.NFT_REG_1, Modulus: uint32(many), Type: unix.NFT_NG_RANDOM},
		match.Equals(make([]byte, 4)),
	}
}

// translate has a connection go to a target.
func translate(target netip.AddrPort) []expr.Any {
	return []expr.Any{
		&expr.Immediate{Register: unix.NFT_REG_1, Data: target.Addr().AsSlice()},
		&expr.Immediate{Register: unix.NFT_REG_2, Data: binaryutil.BigEndian.PutUint16(target.Port())},
		&expr.NAT{
			Type: expr.NATTypeDestNAT, Family: uint32(protocol(target.Addr())),
			RegAddrMin: unix.NFT_REG_1, RegProtoMin: unix.NFT_REG_2, Specified: true,
		},
	}
}

// rule writes a rule to the end of a chain.
func (p *program) rule(chain *nftables.Chain, parts ...[]expr.Any) {
	r := &nftables.Rule{Table: p.table, Chain: chain}
	for _, part := range parts {
		r.Exprs = append(r.Exprs, part...)
	}
	p.batch.AddRule(r)
}

// matchFrontend matches TCP to an address and port.
func matchFrontend(f netip.AddrPort) []expr.Any {
	return append(matchFamily(f.Addr()),
		match.Destination(f.Addr()),
		match.Equals(f.Addr().AsSlice()),
		&expr.Payload{DestRegister: unix.NFT_REG_1, Base: expr.PayloadBaseTransportHeader, Offset: match.DestinationPort, Len: 2},
		match.Equals(binaryutil.BigEndian.PutUint16(f.Port())),
	)
}

// matchTranslated matches connections that began as some to a frontend, and go
// elsewhere.
func matchTranslated(f netip.AddrPort) []expr.Any {
	const statusDNAT = 1 << 5 // IPS_DST_NAT
	return append(matchFamily(f.Addr()),
		&expr.Ct{Key: expr.CtKeySTATUS, Register: unix.NFT_REG_1},
		&expr.Bitwise{
			SourceRegister: unix.NFT_REG_1, DestRegister: unix.NFT_REG_1, Len: 4,
			Mask: binaryutil.NativeEndian.PutUint32(statusDNAT), Xor: make([]byte, 4),
		},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: unix.NFT_REG_1, Data: make([]byte, 4)},
		&expr.Ct{Key: expr.CtKeyDST, Register: unix.NFT_REG_1}, // of the original direction, which is 0
		match.Equals(f.Addr().AsSlice()),
		&expr.Ct{Key: expr.CtKeyPROTODST, Register: unix.NFT_REG_1},
		match.Equals(binaryutil.BigEndian.PutUint16(f.Port())),
	)
}

// matchFamily matches TCP over the family of an address.
func matchFamily(a netip.Addr) []expr.Any {
	return append([]expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: unix.NFT_REG_1},
		match.Equals([]byte{protocol(a)}),
	}, match.TCP()...)
}

func protocol(a netip.Addr) byte {
	if a.Is4() {
		return unix.NFPROTO_IPV4
	}
	return unix.NFPROTO_IPV6
}
