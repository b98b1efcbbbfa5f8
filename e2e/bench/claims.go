package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// claims remembers when addresses were claimed on the segment: by ARP packets
// from them, and by neighbour advertisements for them.
type claims struct {
	socket *os.File

	mu      sync.Mutex
	seen    map[netip.Addr][]instant
	changed chan struct{} // closed and renewed at each change of seen
}

// listen begins to take note.
func listen(link string) (*claims, error) {
	device, err := net.InterfaceByName(link)
	if err != nil {
		return nil, err
	}
	// ARP and IPv6 by one socket.
	all := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL))
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	c := &claims{socket: os.NewFile(uintptr(fd), "packet socket"), seen: map[netip.Addr][]instant{}, changed: make(chan struct{})}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: device.Index}); err != nil {
		return nil, errors.Join(fmt.Errorf("packet socket on %s: %w", link, err), c.socket.Close())
	}
	go c.read()
	return c, nil
}

func (c *claims) close() { _ = c.socket.Close() }

// read returns when the socket is closed.
func (c *claims) read() {
	frame := make([]byte, 2048)
	for {
		n, err := c.socket.Read(frame)
		if err != nil {
			return
		}
		address, ok := claimed(frame[:n])
		if !ok {
			continue
		}
		at, err := now()
		if err != nil {
			return
		}
		c.mu.Lock()
		c.seen[address] = append(c.seen[address], at)
		close(c.changed)
		c.changed = make(chan struct{})
		c.mu.Unlock()
	}
}

// first waits until the address has been claimed since an instant, and returns
// when it first was; 0 if ctx ends before.
func (c *claims) first(ctx context.Context, address netip.Addr, since instant) instant {
	for {
		at, changed := c.look(address, since)
		if at != 0 {
			return at
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return 0
		}
	}
}

func (c *claims) look(address netip.Addr, since instant) (instant, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, at := range c.seen[address] {
		if at >= since {
			return at, nil
		}
	}
	return 0, c.changed
}

// Where the fields stand in an Ethernet frame without VLAN tag (RFC 826, RFC
// 8200 section 3, RFC 4861 section 4.4).
const (
	etherType     = 12
	arpSender     = 28
	arpEnd        = 42
	nextHeader    = 20
	icmpType      = 54
	ndpTarget     = 62
	ndpTargetEnd  = 78
	advertisement = 136
)

// claimed returns the address whose owner sent the frame to say so.
func claimed(frame []byte) (netip.Addr, bool) {
	if len(frame) < arpEnd {
		return netip.Addr{}, false
	}
	switch binary.BigEndian.Uint16(frame[etherType:]) {
	case unix.ETH_P_ARP:
		return netip.AddrFromSlice(frame[arpSender : arpSender+4])
	case unix.ETH_P_IPV6:
		if len(frame) < ndpTargetEnd || frame[nextHeader] != unix.IPPROTO_ICMPV6 || frame[icmpType] != advertisement {
			return netip.Addr{}, false
		}
		return netip.AddrFromSlice(frame[ndpTarget:ndpTargetEnd])
	default:
		return netip.Addr{}, false
	}
}
