// Package l2 announces addresses on the Ethernet segments of this host: it
// answers ARP (RFC 826) and neighbour solicitations (RFC 4861) for them, tells
// the neighbours when it takes one, and looks out for others who use one
// (RFC 5227, RFC 4862). No address is put on an interface.
//
// What is done when and where is decided by the engine, which has no socket
// and no clock. The loop carries it out, on ports: a packet socket for each
// interface and family that has an address. The way of a question is port,
// responder, package frame; it waits for nobody and allocates nothing. Package
// link knows the interfaces; package mld sees to it that switches send us what
// is asked by multicast.
package l2

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/link"
)

// Reporter is told how announcements fare. It does not block.
type Reporter interface {
	Report(announcer.Status)
	// Broken says that nothing can be announced on a port, or that it is worth
	// trying again.
	Broken(p Port, broken bool)
}

// Port is where addresses of one family are announced on one interface, as long
// as the epoch of that lasts.
type Port struct {
	Epoch uint64
	IPv6  bool
}

// Announcer is an announcer.Announcer for the interfaces of the network
// namespace that it is run in. Its methods are safe for concurrent use.
type Announcer struct {
	timing Timing
	log    *slog.Logger

	inbox    *inbox
	registry *registry
	// announced are the addresses in that state.
	announced struct{ v4, v6 atomic.Int64 }
	// pings are answered by the loop when it comes round.
	pings chan struct{}
}

var _ announcer.Announcer = (*Announcer)(nil)

// New returns an announcer that announces when run.
func New(timing Timing, log *slog.Logger) *Announcer {
	return &Announcer{
		timing: timing, log: log,
		inbox:    newInbox(),
		registry: newRegistry(),
		pings:    make(chan struct{}),
	}
}

// Put implements announcer.Announcer.
func (a *Announcer) Put(all ...announcer.Announcement) { a.inbox.put(all) }

// Delete implements announcer.Announcer.
func (a *Announcer) Delete(addrs ...netip.Addr) { a.inbox.delete(addrs) }

// Again implements announcer.Announcer.
func (a *Announcer) Again(addrs ...netip.Addr) { a.inbox.renew(addrs) }

// Run announces on the interfaces that changes tells of, until ctx ends, then
// returns nil; nothing is answered any more. The reporter is told how
// announcements fare. It returns an error that wraps ErrPermission where packet
// sockets are not allowed.
func (a *Announcer) Run(ctx context.Context, changes <-chan []link.Interface, reporter Reporter) error {
	if err := mayOpenPacketSockets(); err != nil {
		return err
	}
	newLoop(a, reporter).run(ctx, changes)
	return nil
}

// ErrPermission is wrapped by the error about a missing right.
var ErrPermission = errors.New("CAP_NET_RAW is missing")

func mayOpenPacketSockets() error {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("open a packet socket: %w: %w", err, ErrPermission)
	case err != nil:
		return fmt.Errorf("open a packet socket: %w", err)
	}
	return unix.Close(fd)
}

// healthy is how long the loop may take to come round.
const healthy = time.Second

// Health returns an error if the announcer is not running, or hangs.
func (a *Announcer) Health() error {
	timeout := time.NewTimer(healthy)
	defer timeout.Stop()
	select {
	case a.pings <- struct{}{}:
		return nil
	case <-timeout.C:
		return fmt.Errorf("the announcer did not come round within %s", healthy)
	}
}

// Samples returns all counters and gauges.
func (a *Announcer) Samples() []announcer.Sample {
	const metric = "herald_addresses_announced"
	return append(a.registry.samples(),
		announcer.Sample{Metric: metric, Family: string(v4), Value: float64(a.announced.v4.Load())},
		announcer.Sample{Metric: metric, Family: string(v6), Value: float64(a.announced.v6.Load())},
	)
}
