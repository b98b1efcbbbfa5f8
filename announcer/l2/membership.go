package l2

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
	"golang.org/x/time/rate"

	"github.com/heraldlb/herald/announcer/l2/frame"
	"github.com/heraldlb/herald/announcer/l2/mld"
)

// membership holds an interface in multicast groups: the interface takes their
// frames in, and switches that snoop MLD send them this way. It ends with the
// interface's epoch: what comes up again tells everything again. Switches are
// not told of that end: they forget, and until then send a little more.
type membership struct {
	port     *port
	log      *slog.Logger
	listener *mld.Listener
	reports  reports

	mu      sync.Mutex
	pending map[netip.Addr]bool // group: to be joined, or left
	wake    chan struct{}

	// exact are the groups that the interface was told, one by one.
	exact map[netip.Addr]bool
	all   bool // it takes in all multicast
}

// maxExact is how many groups an interface is told one by one. Few have room
// for more in their filter.
const maxExact = 64

func newMembership(p *port, log *slog.Logger) *membership {
	return &membership{
		port: p, log: log,
		listener: mld.NewListener(randomDuration),
		pending:  make(map[netip.Addr]bool),
		wake:     make(chan struct{}, 1),
		exact:    make(map[netip.Addr]bool),
	}
}

// set says which groups are to be joined, and which to be left. It does not
// wait until they are.
func (m *membership) set(changes map[netip.Addr]bool) {
	m.mu.Lock()
	maps.Copy(m.pending, changes)
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// run joins and leaves, and answers queries, until ctx ends.
func (m *membership) run(ctx context.Context) {
	queries := make(chan mld.Query)
	var reader sync.WaitGroup
	defer reader.Wait()
	reader.Go(func() {
		complaints := rate.Sometimes{Interval: time.Minute}
		persist(ctx, func() error { return m.listen(ctx, queries) }, func(err error) {
			complaints.Do(func() {
				m.log.Warn("cannot hear MLD queries: a switch that snoops may forget the groups", "error", err)
			})
		})
	})
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.wake:
			m.change(ctx, time.Now())
		case q := <-queries:
			m.listener.Queried(time.Now(), q)
		case <-timer.C:
		}
		if at, ok := m.tell(ctx, time.Now()); ok {
			timer.Reset(time.Until(at))
		}
	}
}

// persistWait is the time until what failed is tried again.
const persistWait = time.Second

// persist does something until ctx ends, again after each error.
func persist(ctx context.Context, do func() error, failed func(error)) {
	for {
		err := do()
		if ctx.Err() != nil {
			return
		}
		failed(err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(persistWait):
		}
	}
}

// change joins and leaves what set asked for. When ctx ends, the socket is
// closed under it, and the kernel leaves what it was in.
func (m *membership) change(ctx context.Context, now time.Time) {
	m.mu.Lock()
	changes := m.pending
	m.pending = make(map[netip.Addr]bool)
	m.mu.Unlock()
	for group, join := range changes {
		m.listener.Set(now, group, join)
		if err := m.admit(group, join); err != nil && ctx.Err() == nil {
			m.log.Error("cannot take in a multicast group", "group", group, "error", err)
		}
	}
}

// admit makes the interface take the frames of a group in.
func (m *membership) admit(group netip.Addr, join bool) error {
	mac := frame.GroupMAC(group)
	switch {
	case m.exact[group] == join, join && m.all:
		return nil
	case !join:
		delete(m.exact, group)
		return m.port.conn.LeaveGroup(mac[:])
	case len(m.exact) == maxExact:
		m.all = true
		return m.port.allMulticast()
	}
	m.exact[group] = true
	return m.port.conn.JoinGroup(mac[:])
}

// tell sends what the listener has to say, and returns when there is more; ok
// is false if nothing is planned. The listener goes on when all is sent.
func (m *membership) tell(ctx context.Context, now time.Time) (at time.Time, ok bool) {
	if m.reports.none() {
		m.reports.add(m.listener.Due(now))
	}
	if m.reports.none() {
		return m.listener.Next()
	}
	from := m.port.ifi.Source()
	err := m.reports.send(now, func(p mld.Packet) error {
		b, err := frame.Listener(m.port.ifi.MAC, from, p.To, p.Message)
		if err != nil {
			return err
		}
		return m.port.write(b)
	})
	if err != nil && ctx.Err() == nil {
		m.log.Warn("cannot tell switches of multicast groups", "error", err)
	}
	if m.reports.none() {
		return m.listener.Next()
	}
	return m.reports.next, true
}

// listen hears queries until ctx ends.
func (m *membership) listen(ctx context.Context, queries chan<- mld.Query) error {
	bind := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var bound error
		if err := c.Control(func(fd uintptr) { bound = unix.BindToDevice(int(fd), m.port.ifi.Name) }); err != nil {
			return err
		}
		return bound
	}}
	socket, err := bind.ListenPacket(ctx, "ip6:ipv6-icmp", "::")
	if err != nil {
		return fmt.Errorf("open an ICMPv6 socket: %w", err)
	}
	defer func() { _ = socket.Close() }()
	defer context.AfterFunc(ctx, func() { _ = socket.SetReadDeadline(time.Now()) })()
	conn := ipv6.NewPacketConn(socket)
	var filter ipv6.ICMPFilter
	filter.SetAll(true)
	filter.Accept(ipv6.ICMPTypeMulticastListenerQuery)
	if err := errors.Join(conn.SetICMPFilter(&filter), conn.SetControlMessage(ipv6.FlagHopLimit, true)); err != nil {
		return fmt.Errorf("filter MLD queries: %w", err)
	}
	buffer := make([]byte, frameSize)
	for {
		n, control, from, err := conn.ReadFrom(buffer)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("read MLD queries: %w", err)
		}
		q, ok := mld.ParseQuery(buffer[:n])
		// RFC 3810 section 5.1.14.
		if !ok || control == nil || control.HopLimit != 1 || !linkLocal(from) {
			continue
		}
		select {
		case queries <- q:
		case <-ctx.Done():
			return nil
		}
	}
}

func linkLocal(a net.Addr) bool {
	ip, ok := a.(*net.IPAddr)
	return ok && ip.IP.IsLinkLocalUnicast()
}
