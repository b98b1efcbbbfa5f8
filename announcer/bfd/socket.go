package bfd

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer"
)

// host is where the sockets are.
type host interface {
	// listen opens the socket that packets are received by.
	listen(portKey) (fd int, err error)
	// dial opens one that the packets to a peer are sent from.
	dial(announcer.BFDPeer) (fd int, err error)
	// index returns that of an interface.
	index(name string) (int, error)
}

// kernel is the host that this process is on.
type kernel struct{}

const (
	// hopLimit is that of all packets that are sent, and of those that come from a link
	// (RFC 5881 section 5).
	hopLimit = 255
	// networkControl is the traffic class CS6 (RFC 4594 section 3.1).
	networkControl = 0xc0
	// receiveBuffer is the size in bytes of what the kernel keeps for a socket.
	receiveBuffer = 1 << 20
)

// option is a socket option that is set to a number.
type option struct {
	what               string
	level, name, value int
}

func (kernel) listen(key portKey) (int, error) {
	options := []option{
		{"SO_TIMESTAMPNS", unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW, 1},
		{"SO_RXQ_OVFL", unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1},
		{"SO_RCVBUF", unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer},
	}
	at := netip.IPv4Unspecified()
	if key.is4 {
		options = append(options, option{"IP_RECVTTL", unix.IPPROTO_IP, unix.IP_RECVTTL, 1})
	} else {
		options = append(options, option{"IPV6_RECVHOPLIMIT", unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT, 1})
		at = netip.IPv6Unspecified()
	}
	fd, err := openSocket(options, netip.AddrPortFrom(at, key.number()), 0)
	if errors.Is(err, unix.EADDRINUSE) {
		return -1, fmt.Errorf("UDP port %d is taken by another process, such as another BFD daemon: %w", key.number(), err)
	}
	return fd, err
}

// The ports that packets are sent from (RFC 5881 section 4): each session has one of its
// own.
const (
	firstSourcePort = 49152
	sourcePorts     = 1<<16 - firstSourcePort
	// portTries bounds the search for one that is free.
	portTries = 32
)

func (k kernel) dial(peer announcer.BFDPeer) (int, error) {
	options := []option{
		{"SO_PRIORITY", unix.SOL_SOCKET, unix.SO_PRIORITY, 6},
		{"SO_RCVBUF", unix.SOL_SOCKET, unix.SO_RCVBUF, 0}, // nobody reads it
	}
	source, link := peer.Source, 0
	if peer.Address.Is4() {
		options = append(options, option{"IP_TTL", unix.IPPROTO_IP, unix.IP_TTL, hopLimit}, option{"IP_TOS", unix.IPPROTO_IP, unix.IP_TOS, networkControl})
	} else {
		options = append(options, option{"IPV6_UNICAST_HOPS", unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, hopLimit}, option{"IPV6_TCLASS", unix.IPPROTO_IPV6, unix.IPV6_TCLASS, networkControl})
	}
	switch {
	case source.IsValid() && source.IsLinkLocalUnicast() && source.Is6():
		index, err := k.index(peer.Address.Zone())
		if err != nil {
			return -1, err
		}
		link = index
	case source.IsValid():
	case peer.Address.Is4():
		source = netip.IPv4Unspecified()
	default:
		source = netip.IPv6Unspecified()
	}
	for try := 0; ; try++ {
		port := uint16(firstSourcePort + rand.IntN(sourcePorts))
		fd, err := openSocket(options, netip.AddrPortFrom(source, port), link)
		if !errors.Is(err, unix.EADDRINUSE) || try == portTries {
			return fd, err
		}
	}
}

func (kernel) index(name string) (int, error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return 0, fmt.Errorf("interface %s: %w", name, err)
	}
	return i.Index, nil
}

// openSocket opens a UDP socket that is bound to a local address.
func openSocket(options []option, at netip.AddrPort, link int) (int, error) {
	family := unix.AF_INET6
	var local unix.Sockaddr = &unix.SockaddrInet6{Addr: at.Addr().As16(), Port: int(at.Port()), ZoneId: uint32(link)}
	if at.Addr().Is4() {
		family, local = unix.AF_INET, &unix.SockaddrInet4{Addr: at.Addr().As4(), Port: int(at.Port())}
	} else {
		options = append(options, option{"IPV6_V6ONLY", unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1})
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	if err != nil {
		return -1, fmt.Errorf("open a socket: %w", err)
	}
	if err := setUp(fd, options, local); err != nil {
		return -1, errors.Join(fmt.Errorf("bind to %s: %w", at.Addr(), err), unix.Close(fd))
	}
	return fd, nil
}

func setUp(fd int, options []option, local unix.Sockaddr) error {
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return fmt.Errorf("%s: %w", o.what, err)
		}
	}
	return unix.Bind(fd, local)
}
