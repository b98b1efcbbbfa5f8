package frame

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/mdlayher/ethernet"
	"github.com/mdlayher/ndp"
)

// Announcement returns the frame by which the station at mac tells everybody
// that it has addr: an unsolicited neighbour advertisement that overrides what
// caches hold (RFC 4861 section 7.2.6).
func (NDP) Announcement(mac MAC, addr netip.Addr) ([]byte, error) {
	return ndpMulticast(mac, addr, netip.AddrFrom16(allNodes()), &ndp.NeighborAdvertisement{
		Override:      true,
		TargetAddress: addr,
		Options:       []ndp.Option{&ndp.LinkLayerAddress{Direction: ndp.Target, Addr: mac[:]}},
	})
}

// Probe returns the frame that asks if anybody uses addr: the solicitation of
// duplicate address detection (RFC 4862 section 5.4.2).
func (NDP) Probe(mac MAC, addr netip.Addr) ([]byte, error) {
	group := SolicitedNode(addr)
	return ndpMulticast(mac, netip.IPv6Unspecified(), group, &ndp.NeighborSolicitation{TargetAddress: addr})
}

// Question returns the frame by which a neighbour that has the address from asks where addr
// is (RFC 4861 section 7.2.2).
func (NDP) Question(mac MAC, from, addr netip.Addr) ([]byte, error) {
	return ndpMulticast(mac, from, SolicitedNode(addr), &ndp.NeighborSolicitation{
		TargetAddress: addr,
		Options:       []ndp.Option{&ndp.LinkLayerAddress{Direction: ndp.Source, Addr: mac[:]}},
	})
}

func ndpMulticast(mac MAC, from, to netip.Addr, m ndp.Message) ([]byte, error) {
	message, err := ndp.MarshalMessageChecksum(m, from, to)
	if err != nil {
		return nil, fmt.Errorf("NDP message to %s: %w", to, err)
	}
	// putIP6 counts from the start of the frame.
	b := make([]byte, ip6End, ip6End+len(message))
	putIP6(b, from.As16(), to.As16(), uint16(len(message)))
	toMAC := GroupMAC(to)
	return marshal(toMAC[:], mac, ethernet.EtherTypeIPv6, append(b, message...)[etherSize:])
}

func marshal(to net.HardwareAddr, from MAC, kind ethernet.EtherType, payload []byte) ([]byte, error) {
	f := ethernet.Frame{Destination: to, Source: from[:], EtherType: kind, Payload: payload}
	b, err := f.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("write Ethernet frame: %w", err)
	}
	return b, nil
}
