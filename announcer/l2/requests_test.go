package l2

import (
	"net"
	"net/netip"
	"testing"

	"github.com/mdlayher/arp"
	"github.com/mdlayher/ethernet"
	"github.com/mdlayher/ndp"

	"github.com/heraldlb/herald/announcer/l2/frame"
)

// arpRequest is what a station asks by broadcast.
func arpRequest(t testing.TB, mac frame.MAC, from, target netip.Addr) []byte {
	t.Helper()
	p, err := arp.NewPacket(arp.OperationRequest, mac[:], from, make(net.HardwareAddr, 6), target)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := p.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return marshal(t, &ethernet.Frame{Destination: ethernet.Broadcast, Source: mac[:], EtherType: ethernet.EtherTypeARP, Payload: payload})
}

// solicitation is what a station asks by multicast.
func solicitation(t testing.TB, mac frame.MAC, from, target netip.Addr) []byte {
	t.Helper()
	return ndpFrame(t, mac, from, frame.SolicitedNode(target), &ndp.NeighborSolicitation{
		TargetAddress: target,
		Options:       []ndp.Option{&ndp.LinkLayerAddress{Direction: ndp.Source, Addr: mac[:]}},
	})
}

func ndpFrame(t testing.TB, mac frame.MAC, from, to netip.Addr, m ndp.Message) []byte {
	t.Helper()
	message, err := ndp.MarshalMessageChecksum(m, from, to)
	if err != nil {
		t.Fatal(err)
	}
	group := to.As16()
	header := make([]byte, 8, 40+len(message))
	header[0], header[5], header[6], header[7] = 0x60, byte(len(message)), 58, 255
	payload := append(append(append(header, from.AsSlice()...), to.AsSlice()...), message...)
	return marshal(t, &ethernet.Frame{
		Destination: net.HardwareAddr{0x33, 0x33, group[12], group[13], group[14], group[15]},
		Source:      mac[:], EtherType: ethernet.EtherTypeIPv6, Payload: payload,
	})
}

func marshal(t testing.TB, f *ethernet.Frame) []byte {
	t.Helper()
	b, err := f.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
