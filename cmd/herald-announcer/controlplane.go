package main

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2"
	"github.com/heraldlb/herald/announcer/l2/link"
	"github.com/heraldlb/herald/controlplane/health"
	"github.com/heraldlb/herald/controlplane/heartbeat"
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
	if heartbeats.Cluster == "" {
		heartbeats.Cluster = "controlplane " + v.String()
	}
	timing := l2.DefaultTiming()
	timing.Refresh = refreshVIP
	watcher := link.NewWatcher(log)
	wire := l2.New(timing, log)
	forWire, forSeat, forElector := watcher.Subscribe(), watcher.Subscribe(), watcher.Subscribe()
	elector := heartbeat.New(heartbeats, forElector, log)
	seated := seat.New(seat.Options{Interface: f.controlPlane.on, Placed: elector.Place}, v.addresses, wire, log)
	apiServer := health.New(f.controlPlane.healthOf(v), log)
	server := nodesocket.NewServer(f.socket, log)

	// What serves ends after the hand-over that the end of ctx begins.
	serving, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	group, serving := errgroup.WithContext(serving)
	group.Go(func() error { return watcher.Run(serving) })
	group.Go(func() error { return wire.Run(serving, forWire, fares{seated, elector}) })
	group.Go(func() error { return seated.Run(serving, forSeat) })
	group.Go(func() error { return apiServer.Run(serving) })
	group.Go(func() error {
		return server.Run(serving, nodesocket.Backend{
			Sink:    nobody{},
			Samples: samples(wire.Samples, elector.Samples, seated.Samples),
			View:    elector.View,
			Health:  allOf(wire.Health, elector.Health),
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
		return elector.Run(standing, apiServer.Ready(), seated)
	})
	return group.Wait()
}

// fares tells of how announcements fare.
type fares struct {
	seat    *seat.Seat
	elector *heartbeat.Elector
}

// Report implements l2.Reporter.
func (f fares) Report(s announcer.Status) { f.seat.Report(s) }

// Broken implements l2.Reporter.
func (f fares) Broken(p l2.Port, broken bool) { f.elector.Broken(p, broken) }

// nobody is told what concerns no control plane.
type nobody struct{}

func (nobody) Put(announcer.Candidacy) {}

func (nobody) Delete(netip.Addr) {}

func (nobody) Replace([]announcer.Candidacy) {}

func (nobody) Facts(announcer.Facts) {}
