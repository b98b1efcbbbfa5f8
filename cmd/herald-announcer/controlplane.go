package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2"
	"github.com/heraldlb/herald/announcer/l2/link"
	"github.com/heraldlb/herald/controlplane"
	"github.com/heraldlb/herald/controlplane/entrusted"
	"github.com/heraldlb/herald/controlplane/handover"
	"github.com/heraldlb/herald/controlplane/health"
	"github.com/heraldlb/herald/controlplane/heartbeat"
	"github.com/heraldlb/herald/controlplane/name"
	"github.com/heraldlb/herald/controlplane/seat"
	"github.com/heraldlb/herald/membership"
	"github.com/heraldlb/herald/nodesocket"
)

// refreshVIP is the time between announcements of a VIP that stays where it is: a
// switch that forgot, or a client that missed all before, hears of it again.
const refreshVIP = time.Minute

// runControlPlane holds the control plane's address when it falls to this node.
func (f *flags) runControlPlane(ctx context.Context, heartbeats membership.Options, log *slog.Logger) error {
	v, err := f.controlPlane.parseVIP()
	if err != nil {
		return err
	}
	if err := f.controlPlane.check(); err != nil {
		return err
	}
	// Before the VIP of a crash is taken off: it may be that of one that runs.
	if err := nodesocket.Free(ctx, f.socket); err != nil {
		return err
	}
	only, err := awaitOthers(ctx, log)
	if err != nil || only == nil {
		return err
	}
	defer func() { _ = only.Close() }()
	if heartbeats.Cluster == "" {
		heartbeats.Cluster = "controlplane " + v.String()
	}
	timing := l2.DefaultTiming()
	timing.Refresh = refreshVIP
	watcher := link.NewWatcher(log)
	wire := l2.New(timing, log)
	forWire, forSeat, forElector := watcher.Subscribe(), watcher.Subscribe(), watcher.Subscribe()
	forRouters := watcher.Subscribe()
	server := nodesocket.NewServer(f.socket, log)
	elector := f.newElector(heartbeats, forElector, server, log)
	share, err := f.newBalance(log)
	if err != nil {
		return err
	}
	seated := seat.New(seat.Options{
		Interface: f.controlPlane.on, Loopback: f.controlPlane.elector == electorBGP,
		Linger: elector.linger, Sources: elector.sources, Placed: elector.placed, Held: elector.heldBy(share),
	}, v.addresses, wire, log)
	apiServer, err := health.New(f.controlPlane.health.Of(f.controlPlane.port), log)
	if err != nil {
		return err
	}

	routers := newRouters(log)

	// What serves ends after the hand-over that the end of ctx begins.
	serving, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	group, serving := errgroup.WithContext(serving)
	group.Go(func() error { return watcher.Run(serving) })
	group.Go(func() error { return wire.Run(serving, forWire, fares{seated, elector.reported, elector.broken}) })
	group.Go(func() error { return seated.Run(serving, forSeat) })
	group.Go(func() error { return v.follow(serving, f.controlPlane.lookUp, seated.SetVIPs, log) })
	group.Go(func() error { return apiServer.Run(serving) })
	group.Go(func() error { return share.run(serving) })
	group.Go(func() error { return routers.run(serving, forRouters, server) })
	group.Go(func() error {
		return server.Run(serving, nodesocket.Backend{
			Sink:    routers.sink(share.sink(elector.sink)),
			Gone:    elector.gone,
			Samples: samples(append(elector.samples, wire.Samples, seated.Samples, routers.Samples)...),
			View:    routers.view(elector.view),
			Health:  allOf(append(elector.health, wire.Health)...),
		})
	})
	group.Go(func() error {
		defer end()
		standing, stop := context.WithCancel(serving)
		defer stop()
		defer context.AfterFunc(ctx, func() {
			log.Info("leaving")
			stop()
		})()
		err := elector.Run(standing, apiServer.Ready(), seated)
		leaving, cut := context.WithTimeout(serving, leaveBound)
		defer cut()
		routers.Leave(leaving)
		return err
	})
	return group.Wait()
}

// onePerHost is the name of a socket that nobody talks to. As an abstract one it is of the
// network namespace, as the VIP is, whichever containers have it, and ends with its process.
const onePerHost = "@herald-controlplane"

// awaitOthers waits until no other announcer on this host holds the control plane's
// address: each would take off what the other has, and one does not hear the other nodes.
// It returns what keeps others waiting, nil if ctx ended.
func awaitOthers(ctx context.Context, log *slog.Logger) (io.Closer, error) {
	const again = 100 * time.Millisecond
	said := false
	for {
		only, err := new(net.ListenConfig).Listen(ctx, "unix", onePerHost)
		switch {
		case err == nil:
			return only, nil
		case ctx.Err() != nil:
			return nil, nil
		case !errors.Is(err, syscall.EADDRINUSE):
			return nil, fmt.Errorf("look for other announcers on this host: %w", err)
		case !said:
			said = true
			log.Warn("another announcer on this host runs with --controlplane: waiting until it ends")
		}
		select {
		case <-ctx.Done():
			return nil, nil
		case <-time.After(again):
		}
	}
}

// follow tells of the VIPs that a name stands for, until ctx ends.
func (v vip) follow(ctx context.Context, period time.Duration, tell func([]netip.Addr), log *slog.Logger) error {
	if v.name == "" {
		return nil
	}
	return name.New(v.name, period, net.DefaultResolver, tell, log).Run(ctx)
}

// chosen is an elector and what else it has to do with; all but Elector and sink may
// be nil.
type chosen struct {
	controlplane.Elector
	sink    nodesocket.Sink
	gone    func()
	linger  time.Duration
	sources func(node string, index int) []netip.Addr
	placed  func(vip netip.Addr, on string)
	held    func([]netip.Addr)
	// reported is told how announcements fare.
	reported func(announcer.Status)
	broken   func(p l2.Port, broken bool)
	samples  []func() []announcer.Sample
	view     func() announcer.View
	health   []func() error
}

// newElector returns the elector that --elector names.
func (f *flags) newElector(heartbeats membership.Options, changes <-chan []link.Interface, reporter entrusted.Reporter, log *slog.Logger) chosen {
	if f.controlPlane.elector != electorHeartbeat {
		elector := entrusted.NewElector(reporter, log)
		elector.Place(netip.Addr{}, "") // until a name is known
		external := chosen{Elector: elector, sink: elector, gone: elector.Gone, placed: elector.Place}
		if f.controlPlane.elector == electorBGP {
			// Who tells the routers withdraws what is here, before it goes.
			elector.Stay, external.held = true, elector.Held
		}
		return external
	}
	elector := heartbeat.New(heartbeats, changes, log)
	return chosen{
		Elector: elector, sink: nobody{}, linger: handover.Linger, sources: elector.Sources,
		placed: elector.Place, reported: elector.Report, broken: elector.Broken, view: elector.View,
		samples: []func() []announcer.Sample{elector.Samples}, health: []func() error{elector.Health},
	}
}

// heldBy returns what is told of the VIPs that are held here.
func (c chosen) heldBy(share *balance) func([]netip.Addr) {
	if c.held != nil {
		return c.held // with no balancer: the flags say so
	}
	return share.held
}

// fares tells of how announcements fare.
type fares struct {
	seat     *seat.Seat
	reported func(announcer.Status)
	broken   func(p l2.Port, broken bool)
}

// Report implements l2.Reporter.
func (f fares) Report(s announcer.Status) {
	f.seat.Report(s)
	if f.reported != nil {
		f.reported(s)
	}
}

// Broken implements l2.Reporter.
func (f fares) Broken(p l2.Port, broken bool) {
	if f.broken != nil {
		f.broken(p, broken)
	}
}

// nobody is told what concerns no control plane.
type nobody struct{}

func (nobody) Put(announcer.Candidacy) {}

func (nobody) Delete(netip.Addr) {}

func (nobody) Replace([]announcer.Candidacy) {}

func (nobody) Facts(announcer.Facts) {}
