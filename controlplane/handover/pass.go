package handover

import (
	"net/netip"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/controlplane/match"
)

// begun is for how long a connection is known to have begun here: longer than it
// matters.
const begun = 10 * time.Second

// Pass has the kernel pass on, to the node at that address of the same family, what
// comes to a VIP from others by the interface of that index and belongs to no connection
// that began from now on. It ends by itself.
func Pass(vip, to netip.Addr, index int) error {
	conn, err := nftables.New()
	if err != nil {
		return explain(err)
	}
	p := &pass{vip: vip, table: begin(conn, familyOf(vip)), index: index}
	if err := p.sets(conn); err != nil {
		return explain(err)
	}
	chain := conn.AddChain(&nftables.Chain{
		Name: "prerouting", Table: p.table, Type: nftables.ChainTypeFilter,
		// Before conntrack, which is to know nothing of what is passed on.
		Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityRaw,
	})
	rule := func(parts ...[]expr.Any) {
		r := &nftables.Rule{Table: p.table, Chain: chain}
		for _, part := range parts {
			r.Exprs = append(r.Exprs, part...)
		}
		conn.AddRule(r)
	}
	rule(p.matchVIP(), match.SYN(), p.client(), []expr.Any{
		&expr.Dynset{SrcRegKey: unix.NFT_REG_1, SetName: p.begun.Name, SetID: p.begun.ID, Operation: unix.NFT_DYNSET_OP_ADD},
		&expr.Verdict{Kind: expr.VerdictAccept},
	})
	rule(p.matchVIP(), p.client(), []expr.Any{
		&expr.Lookup{SourceRegister: unix.NFT_REG_1, SetName: p.begun.Name, SetID: p.begun.ID, Invert: true},
		&expr.Immediate{Register: unix.NFT_REG_1, Data: to.AsSlice()},
		&expr.Immediate{Register: unix.NFT_REG_2, Data: binaryutil.NativeEndian.PutUint32(uint32(index))},
		&expr.Dup{RegAddr: unix.NFT_REG_1, RegDev: unix.NFT_REG_2, IsRegDevSet: true},
		&expr.Verdict{Kind: expr.VerdictDrop},
	})
	if err := conn.Flush(); err != nil {
		return explain(err)
	}
	return nil
}

// Unpass ends Pass.
func Unpass(vip netip.Addr) error {
	_, err := remove(familyOf(vip))
	return err
}

// pass writes the rules.
type pass struct {
	vip   netip.Addr
	index int
	table *nftables.Table
	// passing has the VIP as long as it lasts; begun has the connections that began
	// here, by the client's address and port.
	passing, begun *nftables.Set
}

func (p *pass) sets(batch *nftables.Conn) error {
	key := nftables.TypeIPAddr
	if p.vip.Is6() {
		key = nftables.TypeIP6Addr
	}
	client, err := nftables.ConcatSetType(key, nftables.TypeInetService)
	if err != nil {
		return err
	}
	p.passing = &nftables.Set{Table: p.table, Name: "passing", KeyType: key, HasTimeout: true}
	p.begun = &nftables.Set{
		Table: p.table, Name: "begun", KeyType: client, Concatenation: true,
		Dynamic: true, HasTimeout: true, Timeout: begun, Size: 1 << 16,
	}
	if err := batch.AddSet(p.passing, []nftables.SetElement{{Key: p.vip.AsSlice(), Timeout: passing}}); err != nil {
		return err
	}
	return batch.AddSet(p.begun, nil)
}

// matchVIP matches TCP to the VIP by the interface, as long as it is passed on.
func (p *pass) matchVIP() []expr.Any {
	return append(match.TCP(),
		&expr.Meta{Key: expr.MetaKeyIIF, Register: unix.NFT_REG_1},
		match.Equals(binaryutil.NativeEndian.PutUint32(uint32(p.index))),
		match.Destination(p.vip),
		&expr.Lookup{SourceRegister: unix.NFT_REG_1, SetName: p.passing.Name, SetID: p.passing.ID},
	)
}

// client loads the client's address and port.
func (p *pass) client() []expr.Any {
	source := match.Source(p.vip)
	return []expr.Any{
		source,
		&expr.Payload{DestRegister: unix.NFT_REG32_00 + source.Len/4, Base: expr.PayloadBaseTransportHeader, Offset: match.SourcePort, Len: 2},
	}
}
