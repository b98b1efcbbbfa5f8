package main

import (
	"context"
	"log/slog"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/bfd"
	"github.com/heraldlb/herald/nodesocket"
)

// routers are watched by BFD, as an agent asks for. When that goes, they go on to be.
type routers struct{ *bfd.Sessions }

func newRouters(log *slog.Logger) routers { return routers{bfd.New(log)} }

// run watches until ctx ends, and tells the agent of changes.
func (r routers) run(ctx context.Context, server *nodesocket.Server) error {
	return r.Run(ctx, server.ViewChanged)
}

// sink returns one that takes note of whom to watch.
func (r routers) sink(next nodesocket.Sink) nodesocket.Sink { return watched{next, r} }

// view adds how the sessions stand, and what keeps them from it, to a view; next may be
// nil.
func (r routers) view(next func() announcer.View) func() announcer.View {
	return func() (v announcer.View) {
		if next != nil {
			v = next()
		}
		v.BFD = r.Statuses()
		v.Complaints = append(v.Complaints, r.Complaints()...)
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
	w.Sink.Facts(f)
}
