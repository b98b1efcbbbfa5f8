package handover

import (
	"net/netip"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

const (
	// arpTarget is where an ARP packet for IPv4 over Ethernet has its target (RFC 826).
	arpTarget = 24
	// arpIn is NF_ARP_IN of linux/netfilter_arp.h.
	arpIn = 0
)

// Quiet keeps the kernel from answering ARP for a VIP, for so long. It need not be kept
// from answering NDP: it does so for addresses of the interface that it is asked on only.
func Quiet(vip netip.Addr, long time.Duration) error {
	if !vip.Is4() {
		return nil
	}
	conn, err := nftables.New()
	if err != nil {
		return explain(err)
	}
	table := begin(conn, nftables.TableFamilyARP)
	quiet := &nftables.Set{Table: table, Name: "quiet", KeyType: nftables.TypeIPAddr, HasTimeout: true}
	if err := conn.AddSet(quiet, []nftables.SetElement{{Key: vip.AsSlice(), Timeout: long}}); err != nil {
		return explain(err)
	}
	input := conn.AddChain(&nftables.Chain{
		Name: "input", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookRef(arpIn), Priority: nftables.ChainPriorityFilter,
	})
	conn.AddRule(&nftables.Rule{Table: table, Chain: input, Exprs: []expr.Any{
		&expr.Payload{DestRegister: unix.NFT_REG_1, Base: expr.PayloadBaseNetworkHeader, Offset: arpTarget, Len: 4},
		&expr.Lookup{SourceRegister: unix.NFT_REG_1, SetName: quiet.Name, SetID: quiet.ID},
		&expr.Verdict{Kind: expr.VerdictDrop},
	}})
	if err := conn.Flush(); err != nil {
		return explain(err)
	}
	return nil
}

// Unquiet ends Quiet.
func Unquiet(vip netip.Addr) error {
	if !vip.Is4() {
		return nil
	}
	_, err := remove(nftables.TableFamilyARP)
	return err
}
