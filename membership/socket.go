package membership

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/membership/wire"
)

// Where heartbeats are sent. No switch forwards them to another link.
func group4() netip.Addr { return netip.MustParseAddr(wire.Group4) }
func group6() netip.Addr { return netip.MustParseAddr(wire.Group6) }

// receiveBuffer is the size in bytes of what the kernel keeps for a socket: a
// few thousand heartbeats.
const receiveBuffer = 4 << 20

// socketOf tells what socket to open.
type socketOf struct {
	link int
	name string
	is4  bool
	port uint16
}

// openSocket opens the socket of an interface and a family, that sends to its
// group and hears it.
func openSocket(of socketOf) (int, error) {
	link, name, is4 := of.link, of.name, of.is4
	family := unix.AF_INET6
	if is4 {
		family = unix.AF_INET
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	if err != nil {
		return -1, fmt.Errorf("open a socket: %w", err)
	}
	err = setUp(fd, of)
	if err == nil {
		err = join(fd, link, is4)
	}
	if err != nil {
		return -1, errors.Join(fmt.Errorf("heartbeats on %s: %w", name, err), unix.Close(fd))
	}
	return fd, nil
}

// option is a socket option that is set to a number.
type option struct {
	what               string
	level, name, value int
}

func setUp(fd int, of socketOf) error {
	if err := unix.BindToDevice(fd, of.name); err != nil {
		return fmt.Errorf("bind to the interface: %w", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer); err != nil {
		// Without CAP_NET_ADMIN, as much as net.core.rmem_max lets.
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer); err != nil {
			return fmt.Errorf("SO_RCVBUF: %w", err)
		}
	}
	options := []option{
		{"SO_TIMESTAMPNS", unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW, 1},
		{"SO_RXQ_OVFL", unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1},
		// Network control, as routing protocols have it: queues prefer it.
		{"SO_PRIORITY", unix.SOL_SOCKET, unix.SO_PRIORITY, 6},
	}
	var local unix.Sockaddr = &unix.SockaddrInet4{Port: int(of.port)}
	if of.is4 {
		options = append(options, options4()...)
	} else {
		options = append(options, options6(of.link)...)
		local = &unix.SockaddrInet6{Port: int(of.port)}
	}
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return fmt.Errorf("%s: %w", o.what, err)
		}
	}
	if err := unix.Bind(fd, local); err != nil {
		return fmt.Errorf("bind to UDP port %d: %w", of.port, err)
	}
	return nil
}

// networkControl is the traffic class CS6 (RFC 4594 section 3.1).
const networkControl = 0xc0

func options4() []option {
	return []option{
		{"IP_MULTICAST_LOOP", unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP, 0},
		{"IP_MULTICAST_ALL", unix.IPPROTO_IP, unix.IP_MULTICAST_ALL, 0},
		{"IP_MULTICAST_TTL", unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, wire.HopLimit},
		{"IP_TTL", unix.IPPROTO_IP, unix.IP_TTL, wire.HopLimit},
		{"IP_TOS", unix.IPPROTO_IP, unix.IP_TOS, networkControl},
		{"IP_RECVTTL", unix.IPPROTO_IP, unix.IP_RECVTTL, 1},
		{"IP_RECVERR", unix.IPPROTO_IP, unix.IP_RECVERR, 1},
	}
}

func options6(link int) []option {
	return []option{
		{"IPV6_V6ONLY", unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1},
		{"IPV6_MULTICAST_IF", unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, link},
		{"IPV6_MULTICAST_LOOP", unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_LOOP, 0},
		{"IPV6_MULTICAST_ALL", unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_ALL, 0},
		{"IPV6_MULTICAST_HOPS", unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, wire.HopLimit},
		{"IPV6_UNICAST_HOPS", unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, wire.HopLimit},
		{"IPV6_TCLASS", unix.IPPROTO_IPV6, unix.IPV6_TCLASS, networkControl},
		{"IPV6_RECVHOPLIMIT", unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT, 1},
		{"IPV6_RECVERR", unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1},
	}
}

// join joins the group of the family on the interface.
func join(fd, link int, is4 bool) error {
	if is4 {
		request := &unix.IPMreqn{Multiaddr: group4().As4(), Ifindex: int32(link)}
		if err := unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, request); err != nil {
			return fmt.Errorf("IP_MULTICAST_IF: %w", err)
		}
		if err := unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, request); err != nil {
			return fmt.Errorf("join %s: %w", group4(), err)
		}
		return nil
	}
	request := &unix.IPv6Mreq{Multiaddr: group6().As16(), Interface: uint32(link)}
	if err := unix.SetsockoptIPv6Mreq(fd, unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, request); err != nil {
		return fmt.Errorf("join %s: %w", group6(), err)
	}
	return nil
}
