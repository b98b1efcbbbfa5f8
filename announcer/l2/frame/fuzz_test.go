package frame

import (
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/mdlayher/arp"
	"github.com/mdlayher/ethernet"
	"github.com/mdlayher/ndp"
	"golang.org/x/net/bpf"
)

// What we parse, mdlayher/arp parses to the same; what it parses and we refuse
// is not ARP for IPv4 over Ethernet, or has no station for a sender.
func FuzzARP(f *testing.F) {
	for _, seed := range []string{arpRequestBytes, arpReplyBytes, arpProbeBytes, arpProbeReplyBytes, arpAnnouncementBytes} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Message
		fault := ARP{}.Parse(b, &m)
		peer, ok := parsePeerARP(b)
		if !ok {
			if fault == None {
				t.Fatalf("mdlayher/arp refuses what we read as %+v", m)
			}
			return
		}
		if fault == BadLinkAddress {
			return
		}
		if fault != None {
			t.Fatalf("%s, but mdlayher/arp reads %+v", fault, peer)
		}
		want := Message{From: MAC(peer.SenderHardwareAddr)}
		if !peer.SenderIP.IsUnspecified() {
			want.Uses = peer.SenderIP
		}
		if peer.Operation == arp.OperationRequest && peer.TargetIP != peer.SenderIP {
			want.Asks = peer.TargetIP
		}
		diff(t, "message", m, want)
		checkFilter(t, arpFilter(us()), b)
		if m.Asks.IsValid() {
			checkARPReply(t, m)
		}
	})
}

func parsePeerARP(b []byte) (*arp.Packet, bool) {
	var f ethernet.Frame
	if f.UnmarshalBinary(b) != nil || f.EtherType != ethernet.EtherTypeARP || f.VLAN != nil {
		return nil, false
	}
	p := new(arp.Packet)
	if p.UnmarshalBinary(f.Payload) != nil {
		return nil, false
	}
	ours := p.HardwareType == 1 && p.ProtocolType == 0x0800 && p.HardwareAddrLength == 6 && p.IPLength == 4 &&
		(p.Operation == arp.OperationRequest || p.Operation == arp.OperationReply)
	return p, ours
}

func checkARPReply(t *testing.T, m Message) {
	t.Helper()
	b := make([]byte, MaxReply)
	b = b[:ARP{}.Reply(b, us(), &m)]
	reply, ok := parsePeerARP(b)
	if !ok {
		t.Fatalf("mdlayher/arp refuses our reply %x", b)
	}
	target := m.Uses
	if m.Probe() {
		target = netip.IPv4Unspecified()
	}
	diff(t, "reply", *reply, arp.Packet{
		HardwareType: 1, ProtocolType: 0x0800, HardwareAddrLength: 6, IPLength: 4,
		Operation:          arp.OperationReply,
		SenderHardwareAddr: net.HardwareAddr{2, 0, 0, 0, 0, 1}, SenderIP: m.Asks,
		TargetHardwareAddr: m.From[:], TargetIP: target,
	})
}

// Nothing crashes the parser; what it reads, mdlayher/ndp reads to the same;
// what it answers, mdlayher/ndp reads as it is meant.
func FuzzNDP(f *testing.F) {
	for _, seed := range []string{solicitationBytes, unicastSolicitationBytes, advertisementBytes, dadBytes, unsolicitedBytes} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Message
		// The fuzzer cannot guess a checksum, and wants its bytes left alone.
		b = slices.Clone(b)
		if (NDP{}).Parse(b, &m) != None && (NDP{}).Parse(resum(b), &m) != None {
			return
		}
		// Options are left out: mdlayher/ndp also reads those that a receiver
		// has to ignore here, and refuses them if they are malformed inside.
		peer, err := ndp.ParseMessage(b[ip6End:ndOptions])
		if err != nil {
			t.Fatalf("mdlayher/ndp refuses what we read as %+v: %v", m, err)
		}
		switch peer := peer.(type) {
		case *ndp.NeighborSolicitation:
			if m.Asks != peer.TargetAddress && m.Uses != peer.TargetAddress {
				t.Errorf("asks for %s, want %s", m.Asks, peer.TargetAddress)
			}
		case *ndp.NeighborAdvertisement:
			diff(t, "advertised", m.Uses, peer.TargetAddress)
		default:
			t.Fatalf("we read a %T", peer)
		}
		checkFilter(t, ndpFilter(us()), b)
		if m.Asks.IsValid() {
			checkNDPReply(t, m)
		}
	})
}

func checkNDPReply(t *testing.T, m Message) {
	t.Helper()
	b := make([]byte, MaxReply)
	b = b[:NDP{}.Reply(b, us(), &m)]
	to := netip.MustParseAddr("ff02::1")
	if !m.Probe() {
		to = m.Uses
	}
	if got := netip.AddrFrom16([16]byte(b[ip6To:])); got != to {
		t.Errorf("reply to %s, want %s", got, to)
	}
	// Their sum over the same message must be ours.
	want, err := ndp.MarshalMessageChecksum(&ndp.NeighborAdvertisement{
		Solicited: !m.Probe(), Override: true, TargetAddress: m.Asks,
		Options: []ndp.Option{&ndp.LinkLayerAddress{Direction: ndp.Target, Addr: net.HardwareAddr{2, 0, 0, 0, 0, 1}}},
	}, m.Asks, to)
	if err != nil {
		return // a target that mdlayher/ndp does not write: nobody owns such
	}
	diff(t, "reply", b[ip6End:], want)
}

// checkFilter makes sure that a frame that we can read passes the filter.
func checkFilter(t *testing.T, tests []test, b []byte) {
	t.Helper()
	if MAC(b[etherSource:]) == us() {
		return
	}
	vm, err := bpf.NewVM(compile(tests))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := vm.Run(b); err != nil || n < len(b) {
		t.Fatalf("the filter passes %d of %d bytes of a good frame: %v", n, len(b), err)
	}
}

// FuzzSolicitation writes solicitations with mdlayher/ndp for us to read.
func FuzzSolicitation(f *testing.F) {
	target, source := netip.MustParseAddr("2001:db8::10").As16(), netip.MustParseAddr("2001:db8::99").As16()
	f.Add(target[:], source[:], []byte{14, 1, 1, 2, 3, 4, 5, 6})
	f.Fuzz(func(t *testing.T, target, source, raw []byte) {
		to, ok1 := netip.AddrFromSlice(target)
		from, ok2 := netip.AddrFromSlice(source)
		if !ok1 || !ok2 || !from.Is6() || from.IsMulticast() || to.IsMulticast() || from == to || from.IsUnspecified() {
			return
		}
		m := ndp.NeighborSolicitation{TargetAddress: to, Options: []ndp.Option{
			&ndp.LinkLayerAddress{Direction: ndp.Source, Addr: net.HardwareAddr{2, 0, 0, 0, 0, 0x99}},
		}}
		// Any option that is not ours to read is passed over.
		if len(raw) >= 8 && len(raw)%8 == 0 && len(raw) < 1024 && raw[0] > optionTargetLink {
			m.Options = append(m.Options, &ndp.RawOption{Type: raw[0], Length: uint8(len(raw) / 8), Value: raw[2:]})
		}
		b, err := ndpMulticast(client(), from, SolicitedNode(to), &m)
		if err != nil {
			return
		}
		diff(t, "message", parse(t, NDP{}, b), Message{Asks: to, Uses: from, From: client()})
	})
}
