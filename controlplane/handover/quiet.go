package handover

import (
	"net/netip"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

const (
	// Where an ARP packet for IPv4 over Ethernet has its sender and its target (RFC 826).
	arpSender, arpTarget = 14, 24
	// arpIn and arpOut are NF_ARP_IN and NF_ARP_OUT of linux/netfilter_arp.h.
	arpIn, arpOut = 0, 1
)

// Quiet keeps the kernel from answering ARP for a VIP, and from asking by it, which tells
// as much, for so long. It need not be kept from NDP: there, it uses addresses of the
// interface that it speaks on only.
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
	for _, of := range []struct {
		name   string
		hook   nftables.ChainHook
		offset uint32
	}{{"input", arpIn, arpTarget}, {"output", arpOut, arpSender}} {
		chain := conn.AddChain(&nftables.Chain{
			Name: of.name, Table: table, Type: nftables.ChainTypeFilter, Hooknum: &of.hook, Priority: nftables.ChainPriorityFilter,
		})
		conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
			&expr.Payload{DestRegister: unix.NFT_REG_1, Base: expr.PayloadBaseNetworkHeader, Offset: of.offset, Len: uint32(vip.BitLen() / 8)},
			&expr.Lookup{SourceRegister: unix.NFT_REG_1, SetName: quiet.Name, SetID: quiet.ID},
			&expr.Verdict{Kind: expr.VerdictDrop},
		}})
	}
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
