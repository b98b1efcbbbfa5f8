package upnp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// How a gateway is searched for: a few times, since datagrams get lost.
const (
	searchTimes = 3
	searchWait  = time.Second
)

var (
	errNoRoute  = errors.New("this node has no default route by IPv4, so no gateway")
	errNoAnswer = errors.New("it does not answer a search for an Internet Gateway Device")
)

// finder finds the gateway.
type finder struct {
	// pinned is the one to find; not valid: the one that the host routes by.
	pinned netip.Addr
}

// address returns the gateway's address, and the interface towards it.
func (f finder) address() (netip.Addr, *net.Interface, error) {
	gateway := f.pinned
	var index int
	if !gateway.IsValid() {
		routes, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
		if err != nil {
			return netip.Addr{}, nil, fmt.Errorf("list routes: %w", err)
		}
		best := -1
		for i, route := range routes {
			if (route.Dst == nil || route.Dst.IP.IsUnspecified() && ones(route.Dst.Mask) == 0) && route.Gw != nil &&
				(best < 0 || route.Priority < routes[best].Priority) {
				best = i
			}
		}
		if best < 0 {
			return netip.Addr{}, nil, errNoRoute
		}
		addr, _ := netip.AddrFromSlice(routes[best].Gw)
		gateway, index = addr.Unmap(), routes[best].LinkIndex
	} else {
		routes, err := netlink.RouteGet(gateway.AsSlice())
		if err != nil || len(routes) == 0 {
			return netip.Addr{}, nil, fmt.Errorf("route to the gateway %s: %w", gateway, err)
		}
		index = routes[0].LinkIndex
	}
	link, err := net.InterfaceByIndex(index)
	if err != nil {
		return netip.Addr{}, nil, fmt.Errorf("interface towards the gateway %s: %w", gateway, err)
	}
	return gateway, link, nil
}

func ones(mask net.IPMask) int {
	n, _ := mask.Size()
	return n
}

// find searches for the gateway and reads its description.
func (f finder) find(ctx context.Context) (*Gateway, error) {
	address, link, err := f.address()
	if err != nil {
		return nil, err
	}
	found, err := ssdp(ctx, address, link)
	if err != nil {
		return nil, fmt.Errorf("gateway %s: %w", address, err)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	gateway, err := describe(ctx, address, found.location)
	if err != nil {
		return nil, fmt.Errorf("gateway %s: %w", address, err)
	}
	gateway.boot = found.boot
	return gateway, nil
}

// ssdp asks for Internet Gateway Devices, everybody and the gateway itself, and returns
// what the gateway answers. What others answer does not count.
func ssdp(ctx context.Context, gateway netip.Addr, link *net.Interface) (answer, error) {
	var config net.ListenConfig
	conn, err := config.ListenPacket(ctx, "udp4", "0.0.0.0:0")
	if err != nil {
		return answer{}, fmt.Errorf("socket to search: %w", err)
	}
	defer func() { _ = conn.Close() }()
	socket := ipv4.NewPacketConn(conn)
	if err := socket.SetMulticastInterface(link); err != nil {
		return answer{}, fmt.Errorf("multicast on %s: %w", link.Name, err)
	}
	// UPnP Device Architecture 2.0 section 1.3.2.
	if err := socket.SetMulticastTTL(2); err != nil {
		return answer{}, fmt.Errorf("multicast on %s: %w", link.Name, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	var sending error
	for range searchTimes {
		sending = errors.Join(send(conn, gateway, deviceTwo), send(conn, gateway, deviceOne))
		_ = conn.SetReadDeadline(time.Now().Add(searchWait))
		if ctx.Err() != nil {
			return answer{}, ctx.Err()
		}
		found, err := await(conn, gateway)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return found, err
		}
	}
	if sending != nil {
		return answer{}, sending
	}
	return answer{}, errNoAnswer
}

// send asks for a device. Either of the two ways may be closed.
func send(conn net.PacketConn, gateway netip.Addr, device string) error {
	_, all := conn.WriteTo(question(device), net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(ssdpGroup), ssdpPort)))
	_, one := conn.WriteTo(question(device), net.UDPAddrFromAddrPort(netip.AddrPortFrom(gateway, ssdpPort)))
	if all != nil && one != nil {
		return errors.Join(all, one)
	}
	return nil
}

// await returns the gateway's first answer.
func await(conn net.PacketConn, gateway netip.Addr) (answer, error) {
	datagram := make([]byte, maxDatagram)
	for {
		n, from, err := conn.ReadFrom(datagram)
		if err != nil {
			return answer{}, err
		}
		if source(from) != gateway {
			continue
		}
		if found, ok := parseAnswer(datagram[:n]); ok {
			return found, nil
		}
	}
}

// source returns the address that a datagram came from.
func source(from net.Addr) netip.Addr {
	if udp, ok := from.(*net.UDPAddr); ok {
		return udp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// listen tells of what the gateway tells everybody, until ctx ends.
func listen(ctx context.Context, gateway netip.Addr, link *net.Interface, told func(notice)) error {
	conn, err := net.ListenMulticastUDP("udp4", link, &net.UDPAddr{IP: netip.MustParseAddr(ssdpGroup).AsSlice(), Port: ssdpPort})
	if err != nil {
		return fmt.Errorf("listen on %s for what gateways tell: %w", link.Name, err)
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	datagram := make([]byte, maxDatagram)
	for {
		n, from, err := conn.ReadFrom(datagram)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("listen on %s for what gateways tell: %w", link.Name, err)
		}
		if source(from) != gateway {
			continue
		}
		if heard, ok := parseNotice(datagram[:n]); ok {
			told(heard)
		}
	}
}
