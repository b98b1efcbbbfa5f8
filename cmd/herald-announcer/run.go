package main

import (
	"context"
	"io"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2"
	"github.com/heraldlb/herald/announcer/l2/link"
	"github.com/heraldlb/herald/announcer/ownership"
	"github.com/heraldlb/herald/election"
	"github.com/heraldlb/herald/membership"
	"github.com/heraldlb/herald/nodesocket"
)

// leaveBound is how long a hand-over may take at the end. Elections give up before.
const leaveBound = 3 * time.Second

// run announces until ctx ends, hands over what it owns, and ends.
func (f *flags) run(ctx context.Context, logs io.Writer) error {
	level, err := f.level()
	if err != nil {
		return err
	}
	heartbeats, err := f.membership()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: level}))
	log.Info("starting", "version", version, "node", heartbeats.Node, "socket", f.socket)
	tune(log)
	if f.controlPlane.enabled {
		return f.runControlPlane(ctx, heartbeats, log)
	}
	return f.runServices(ctx, heartbeats, log)
}

// runServices announces the addresses of Services that fall to this node.
func (f *flags) runServices(ctx context.Context, heartbeats membership.Options, log *slog.Logger) error {
	server := nodesocket.NewServer(f.socket, log)
	watcher := link.NewWatcher(log)
	wire := l2.New(l2.DefaultTiming(), log)
	members := membership.New(heartbeats, log)
	routers := newRouters(log)
	owner := ownership.New(ownership.Options{
		Self:    members.ID(),
		Timing:  election.DefaultTiming(),
		Listen:  ownership.Listening(heartbeats.Interval),
		Cluster: heartbeats.Cluster,
		Peers:   heartbeats.Peers,
	}, wire, members, members, server, log)

	// What serves ends after the hand-over that the end of ctx begins.
	serving, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	group, serving := errgroup.WithContext(serving)
	forWire, forOwner, forRouters := watcher.Subscribe(), watcher.Subscribe(), watcher.Subscribe()
	group.Go(func() error { return watcher.Run(serving) })
	group.Go(func() error { return wire.Run(serving, forWire, owner) })
	group.Go(func() error { return members.Run(serving, owner) })
	group.Go(func() error { return owner.Run(serving, forOwner) })
	group.Go(func() error { return routers.run(serving, forRouters, server) })
	group.Go(func() error {
		return server.Run(serving, nodesocket.Backend{
			Sink:    routers.sink(owner),
			Samples: samples(wire.Samples, owner.Samples, members.Samples, routers.Samples),
			View:    routers.view(owner.View),
			Health:  allOf(wire.Health, owner.Health),
		})
	})
	group.Go(func() error {
		select {
		case <-ctx.Done():
		case <-serving.Done():
			return nil
		}
		log.Info("leaving")
		leaving, stop := context.WithTimeout(serving, leaveBound)
		defer stop()
		owner.Leave(leaving)
		members.Farewell()
		routers.Leave(leaving)
		end()
		return nil
	})
	return group.Wait()
}

// samples joins what several sources say.
func samples(sources ...func() []announcer.Sample) func() []announcer.Sample {
	return func() []announcer.Sample {
		var all []announcer.Sample
		for _, source := range sources {
			all = append(all, source()...)
		}
		return all
	}
}

// allOf returns the first complaint of several.
func allOf(of ...func() error) func() error {
	return func() error {
		for _, check := range of {
			if err := check(); err != nil {
				return err
			}
		}
		return nil
	}
}
