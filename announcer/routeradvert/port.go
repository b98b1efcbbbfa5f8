package routeradvert

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/link"
)

// sendWait is how long an interface may take to have room for an advertisement.
const sendWait = 100 * time.Millisecond

// port advertises on one interface, for one epoch of it.
type port struct {
	on      link.Interface
	message []byte
	conn    *ipv6.PacketConn
}

func openPort(ctx context.Context, on link.Interface) (*port, error) {
	message, err := advertisement(on.MAC)
	if err != nil {
		return nil, err
	}
	bind := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var bound error
		if err := c.Control(func(fd uintptr) { bound = unix.BindToDevice(int(fd), on.Name) }); err != nil {
			return err
		}
		return bound
	}}
	socket, err := bind.ListenPacket(ctx, "ip6:ipv6-icmp", "::")
	if err != nil {
		return nil, fmt.Errorf("open an ICMPv6 socket: %w", err)
	}
	p := &port{on: on, message: message, conn: ipv6.NewPacketConn(socket)}
	if err := p.configure(); err != nil {
		return nil, errors.Join(fmt.Errorf("set an ICMPv6 socket up: %w", err), p.conn.Close())
	}
	return p, nil
}

func (p *port) configure() error {
	var filter ipv6.ICMPFilter
	filter.SetAll(true)
	filter.Accept(ipv6.ICMPTypeRouterSolicitation)
	return errors.Join(
		p.conn.SetICMPFilter(&filter),
		p.conn.SetControlMessage(ipv6.FlagHopLimit, true),
		p.conn.SetMulticastHopLimit(hopLimit),
		// This host would take its own advertisement for a router's answer, and ask no more.
		p.conn.SetMulticastLoopback(false),
		p.conn.JoinGroup(&net.Interface{Index: p.on.Index}, &net.IPAddr{IP: netip.IPv6LinkLocalAllRouters().AsSlice()}),
	)
}

// send advertises once, from an address of the interface.
func (p *port) send(source netip.Addr) error {
	if err := p.conn.SetWriteDeadline(time.Now().Add(sendWait)); err != nil {
		return err
	}
	// No zone: package net remembers for a minute which index a name had.
	control := &ipv6.ControlMessage{Src: source.AsSlice(), IfIndex: p.on.Index}
	_, err := p.conn.WriteTo(p.message, control, &net.IPAddr{IP: netip.IPv6LinkLocalAllNodes().AsSlice()})
	return err
}

// hear calls solicited for each router solicitation, until the port is closed or fails.
func (p *port) hear(solicited func()) error {
	buffer := make([]byte, 1<<11)
	for {
		n, control, from, err := p.conn.ReadFrom(buffer)
		if err != nil {
			return fmt.Errorf("read solicitations: %w", err)
		}
		ip, ok := from.(*net.IPAddr)
		if !ok || control == nil {
			continue
		}
		if source, ok := netip.AddrFromSlice(ip.IP); ok && solicits(buffer[:n], control.HopLimit, source) {
			solicited()
		}
	}
}
