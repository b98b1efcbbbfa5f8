package main

import (
	"context"
	"log/slog"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/bfd"
	"github.com/heraldlb/herald/announcer/l2/link"
	"github.com/heraldlb/herald/announcer/routeradvert"
	"github.com/heraldlb/herald/nodesocket"
)

// routers are watched by BFD, and told of this node where they have to be, as an agent asks
// for. When that goes, they go on to be.
type routers struct {
	*bfd.Sessions
	links *routeradvert.Advertiser
}

func newRouters(log *slog.Logger) routers { return routers{bfd.New(log), routeradvert.New(log)} }

// run does so until ctx ends, and tells the agent of changes; changes tells of interfaces.
func (r routers) run(ctx context.Context, changes <-chan []link.Interface, server *nodesocket.Server) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.Run(ctx, server.ViewChanged) })
	group.Go(func() error { return r.links.Run(ctx, changes, server.ViewChanged) })
	return group.Wait()
}

// sink returns one that takes note of whom to watch, and where to be known.
func (r routers) sink(next nodesocket.Sink) nodesocket.Sink { return watched{next, r} }

// view adds how the sessions stand, and what keeps them from it, to a view; next may be
// nil.
func (r routers) view(next func() announcer.View) func() announcer.View {
	return func() (v announcer.View) {
		if next != nil {
			v = next()
		}
		v.BFD = r.Statuses()
		v.Complaints = slices.Concat(v.Complaints, r.Complaints(), r.links.Complaints())
		return v
	}
}

type watched struct {
	nodesocket.Sink
	routers routers
}

// Facts implements nodesocket.Sink. An agent that does not know of routers yet changes
// nothing.
func (w watched) Facts(f announcer.Facts) {
	if f.BFD != nil {
		w.routers.SetPeers(f.BFD)
	}
	if f.Unnumbered != nil {
		w.routers.links.SetInterfaces(f.Unnumbered)
	}
	w.Sink.Facts(f)
}
