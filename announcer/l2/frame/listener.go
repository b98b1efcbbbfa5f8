package frame

import (
	"encoding/binary"
	"net/netip"

	"github.com/mdlayher/ethernet"
)

// routerAlert is the hop-by-hop header that MLD messages have: the next header
// is ICMPv6, the option says that routers should look (RFC 2710, RFC 2711).
func routerAlert() []byte { return []byte{protocolICMPv6, 0, 5, 2, 0, 0, 1, 0} }

// Listener returns the frame that carries an ICMPv6 message of Multicast
// Listener Discovery, whose checksum it sets, to a group. The source is
// link-local, or unspecified as long as the interface has no such address
// (RFC 3590).
func Listener(mac MAC, from, to netip.Addr, message []byte) ([]byte, error) {
	const hopByHop, oneHop = 0, 1
	header := routerAlert()
	b := make([]byte, ip6End, ip6End+len(header)+len(message))
	putIP6(b, from.As16(), to.As16(), uint16(len(header)+len(message)))
	b[ip6NextHeader], b[ip6HopLimit] = hopByHop, oneHop
	b = append(append(b, header...), message...)
	body := b[ip6End+len(header):]
	binary.BigEndian.PutUint16(body[2:], 0)
	binary.BigEndian.PutUint16(body[2:], checksum(b[ip6Source:ip6End], body))
	group := GroupMAC(to)
	return marshal(group[:], mac, ethernet.EtherTypeIPv6, b[etherSize:])
}
