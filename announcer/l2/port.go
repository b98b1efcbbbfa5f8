package l2

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"github.com/mdlayher/packet"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/frame"
	"github.com/heraldlb/herald/announcer/l2/link"
)

// speaker is what a port needs of ARP or NDP beyond what a responder needs.
type speaker interface {
	EtherType() int
	Filter(index int, mac frame.MAC) ([]bpf.RawInstruction, error)
	Announcement(frame.MAC, netip.Addr) ([]byte, error)
	Probe(frame.MAC, netip.Addr) ([]byte, error)
}

// port is where addresses of one family are announced on one interface, for
// one epoch of it.
type port struct {
	ifi       link.Interface
	speaker   speaker
	conn      *packet.Conn
	raw       syscall.RawConn
	responder *responder
	counters  *counters
	// linkLocal is what the interface's is now.
	linkLocal netip.Addr
	// groups and membership are nil for IPv4, which is asked by broadcast.
	groups     groups
	membership *membership
}

// openPort opens the socket; nothing is answered before run.
func openPort(ifi link.Interface, f family, c *counters, sightings *sightings, log *slog.Logger) (*port, error) {
	p := &port{ifi: ifi, counters: c, linkLocal: ifi.LinkLocal}
	var answers protocol
	if f == v4 {
		p.speaker, answers = frame.ARP{}, frame.ARP{}
	} else {
		p.speaker, answers = frame.NDP{}, frame.NDP{}
		p.groups = make(groups)
		p.membership = newMembership(p, log.With("interface", ifi.Name))
	}
	filter, err := p.speaker.Filter(ifi.Index, ifi.MAC)
	if err != nil {
		return nil, err
	}
	p.conn, err = packet.Listen(&net.Interface{Index: ifi.Index, Name: ifi.Name}, packet.Raw, p.speaker.EtherType(), &packet.Config{Filter: filter})
	if err != nil {
		return nil, fmt.Errorf("open a packet socket on %s: %w", ifi.Name, err)
	}
	if p.raw, err = p.conn.SyscallConn(); err != nil {
		return nil, errors.Join(err, p.conn.Close())
	}
	if err := p.control(growBuffer); err != nil {
		return nil, errors.Join(err, p.conn.Close())
	}
	p.responder = newResponder(answers, ifi.MAC, ifi.Epoch, c, sightings)
	return p, nil
}

// receiveBuffer holds the questions of some thousand clients that lost their
// gateway at once, in bytes; the kernel counts a frame as 1 to 2 KiB.
const receiveBuffer = 4 << 20

// growBuffer gives the socket a large receive buffer: beyond net.core.rmem_max
// where CAP_NET_ADMIN allows, else up to it.
func growBuffer(fd int) error {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) == nil {
		return nil
	}
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
}

// allMulticast makes the interface take in all multicast, until the port is
// closed.
func (p *port) allMulticast() error {
	return p.control(func(fd int) error {
		return unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP,
			&unix.PacketMreq{Ifindex: int32(p.ifi.Index), Type: unix.PACKET_MR_ALLMULTI})
	})
}

// control calls f with the socket, and does not wait for the responder as the
// methods of packet.Conn might.
func (p *port) control(f func(fd int) error) error {
	var err error
	if closed := p.raw.Control(func(fd uintptr) { err = f(int(fd)) }); closed != nil {
		return closed
	}
	return err
}

// run answers until ctx ends, then returns nil with all closed. It returns an
// error if the socket fails.
func (p *port) run(ctx context.Context) error {
	// Who leaves the port early takes the rest along.
	ctx, cancel := context.WithCancel(ctx)
	var background sync.WaitGroup
	defer background.Wait()
	defer cancel()
	if p.membership != nil {
		background.Go(func() { p.membership.run(ctx) })
	}
	closed := make(chan error, 1)
	defer context.AfterFunc(ctx, func() { closed <- p.conn.Close() })()
	err := p.responder.serve(p.raw)
	if ctx.Err() != nil {
		return <-closed
	}
	return errors.Join(fmt.Errorf("answer on %s: %w", p.ifi.Name, err), p.conn.Close())
}

// set changes the roles of addresses, and the groups with them.
func (p *port) set(changes map[netip.Addr]role) {
	before := p.responder.owned.Load()
	p.responder.owned.Store(before.with(changes))
	if p.membership == nil {
		return
	}
	joins := make(map[netip.Addr]bool)
	for addr, r := range changes {
		was, is := before.role(addr) != ignored, r != ignored
		switch {
		case is && !was:
			if group, first := p.groups.add(addr); first {
				joins[group] = true
			}
		case was && !is:
			if group, last := p.groups.remove(addr); last {
				joins[group] = false
			}
		}
	}
	if len(joins) > 0 {
		p.membership.set(joins)
	}
}

// idle reports whether no address has a role any more.
func (p *port) idle() bool { return p.responder.owned.Load().size == 0 }

// send sends the frame of a task, without waiting for room.
func (p *port) send(t task) error {
	b, err := p.frame(t)
	if err != nil {
		return err
	}
	if err := p.write(b); err != nil {
		return err
	}
	if t.kind != sendProbe {
		p.counters.gratuitous.Add(1)
	}
	return nil
}

// frame returns the frame of a task.
//
// Stations that answer in user space may not answer duplicate address detection, as MetalLB's
// speakers do not. So the first probe for an IPv6 address is a neighbour's question, where there
// is an address to ask from: they are slow, too.
func (p *port) frame(t task) ([]byte, error) {
	switch {
	case t.kind != sendProbe:
		return p.speaker.Announcement(p.ifi.MAC, t.addr)
	case t.round == 0 && t.addr.Is6() && p.linkLocal.IsValid():
		return frame.NDP{}.Question(p.ifi.MAC, p.linkLocal, t.addr)
	default:
		return p.speaker.Probe(p.ifi.MAC, t.addr)
	}
}

// write sends a frame, without waiting for room.
func (p *port) write(b []byte) error {
	if err := p.control(func(fd int) error { return unix.Send(fd, b, unix.MSG_DONTWAIT) }); err != nil {
		return fmt.Errorf("send on %s: %w", p.ifi.Name, err)
	}
	return nil
}
