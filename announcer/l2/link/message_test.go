package link

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/frame"
)

// linkBytes writes RTM_NEWLINK as the kernel does.
func linkBytes(family uint8, kind uint16, flags uint32) []byte {
	header := nl.NewIfInfomsg(int(family))
	header.Index, header.Type, header.Flags = 7, kind, flags
	b := header.Serialize()
	for _, a := range []*nl.RtAttr{
		nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated("eth0")),
		nl.NewRtAttr(unix.IFLA_ADDRESS, []byte{2, 0, 0, 0, 0, 1}),
		nl.NewRtAttr(unix.IFLA_CARRIER_UP_COUNT, nl.Uint32Attr(3)),
	} {
		b = append(b, a.Serialize()...)
	}
	return b
}

// addressBytes writes RTM_NEWADDR as the kernel does.
func addressBytes(local, peer netip.Addr, bits uint8) []byte {
	header := nl.NewIfAddrmsg(unix.AF_INET)
	header.Index, header.Prefixlen = 7, bits
	b := header.Serialize()
	for _, a := range []*nl.RtAttr{
		nl.NewRtAttr(unix.IFA_ADDRESS, peer.AsSlice()),
		nl.NewRtAttr(unix.IFA_LOCAL, local.AsSlice()),
	} {
		b = append(b, a.Serialize()...)
	}
	return b
}

func TestParseLink(t *testing.T) {
	const up = unix.IFF_UP | unix.IFF_RUNNING
	good := linkMessage{index: 7, name: "eth0", mac: frame.MAC{2, 0, 0, 0, 0, 1}, ethernet: true, up: true, ups: 3, counted: true}
	down := good
	down.up = false
	other := linkMessage{index: 7, name: "eth0", up: true, ups: 3, counted: true}
	for name, tt := range map[string]struct {
		message []byte
		want    linkMessage
		err     error
	}{
		"up":           {linkBytes(0, unix.ARPHRD_ETHER, up), good, nil},
		"admin down":   {linkBytes(0, unix.ARPHRD_ETHER, unix.IFF_RUNNING), down, nil},
		"no carrier":   {linkBytes(0, unix.ARPHRD_ETHER, unix.IFF_UP), down, nil},
		"no ARP":       {linkBytes(0, unix.ARPHRD_ETHER, up|unix.IFF_NOARP), down, nil},
		"InfiniBand":   {linkBytes(0, unix.ARPHRD_INFINIBAND, up), other, nil},
		"of a bridge":  {linkBytes(unix.AF_BRIDGE, unix.ARPHRD_ETHER, up), linkMessage{}, errBridge},
		"cut off":      {linkBytes(0, unix.ARPHRD_ETHER, up)[:10], linkMessage{}, errShort},
		"nothing else": {linkBytes(0, unix.ARPHRD_ETHER, up)[:unix.SizeofIfInfomsg], linkMessage{}, errPartial},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseLink(tt.message)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("parseLink = %+v, %v, want %+v, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestParseAddress(t *testing.T) {
	ours, peer := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.7")
	for name, tt := range map[string]struct {
		message []byte
		want    netip.Prefix
		err     error
	}{
		"on a segment":   {addressBytes(ours, ours, 24), netip.MustParsePrefix("192.0.2.0/24"), nil},
		"point-to-point": {addressBytes(ours, peer, 30), netip.MustParsePrefix("198.51.100.4/30"), nil},
		"no such length": {addressBytes(ours, ours, 99), netip.MustParsePrefix("192.0.2.1/32"), nil},
		"cut off":        {addressBytes(ours, ours, 24)[:4], netip.Prefix{}, errShort},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseAddress(tt.message)
			if got.prefix != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("parseAddress = %+v, %v, want prefix %s, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

// An IPv6 address stands alone, and may not be the interface's yet, or never.
func TestParseTentative(t *testing.T) {
	local := netip.MustParseAddr("fe80::1")
	for flags, tentative := range map[uint8]bool{
		0: false, unix.IFA_F_PERMANENT: false, unix.IFA_F_PERMANENT | unix.IFA_F_TENTATIVE: true, unix.IFA_F_DADFAILED: true,
	} {
		header := nl.NewIfAddrmsg(unix.AF_INET6)
		header.Index, header.Prefixlen, header.Flags = 7, 64, flags
		got, err := parseAddress(append(header.Serialize(), nl.NewRtAttr(unix.IFA_ADDRESS, local.AsSlice()).Serialize()...))
		want := addressMessage{7, address{local, netip.MustParsePrefix("fe80::/64")}, tentative}
		if got != want || err != nil {
			t.Errorf("flags %#x: %+v, %v, want %+v", flags, got, err, want)
		}
	}
}

// No message crashes the parsers.
func FuzzParse(f *testing.F) {
	f.Add(linkBytes(0, unix.ARPHRD_ETHER, unix.IFF_UP))
	f.Add(addressBytes(netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), 24))
	f.Fuzz(func(t *testing.T, b []byte) {
		if l, err := parseLink(b); err == nil && l.ethernet && l.mac == (frame.MAC{}) && len(b) < unix.SizeofIfInfomsg {
			t.Errorf("%+v of nothing", l)
		}
		if a, err := parseAddress(b); err == nil && !a.prefix.IsValid() {
			t.Errorf("%+v has no prefix", a)
		}
	})
}
