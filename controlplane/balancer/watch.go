package balancer

import (
	"context"
	"net/netip"
	"sync"

	"github.com/heraldlb/herald/controlplane/health"
)

// watch is one backend that is probed.
type watch struct {
	backend
	// dead: it was said that it does not answer.
	dead   bool
	cancel context.CancelFunc
}

// word is what a probe found of a backend.
type word struct {
	of                 *watch
	ready, alive, dead bool
}

// watches are the backends.
type watches struct {
	options *Options
	all     map[netip.AddrPort]*watch
	words   chan word
	running sync.WaitGroup
}

// set makes these the backends that are probed. One that stays keeps what is known
// of it.
func (w *watches) set(ctx context.Context, addrs []netip.AddrPort) error {
	wanted := make(map[netip.AddrPort]bool, len(addrs))
	for _, addr := range addrs {
		wanted[addr] = true
		if w.all[addr] != nil {
			continue
		}
		if err := w.add(ctx, addr); err != nil {
			return err
		}
	}
	for addr, one := range w.all {
		if !wanted[addr] {
			one.cancel()
			delete(w.all, addr)
		}
	}
	return nil
}

func (w *watches) add(ctx context.Context, addr netip.AddrPort) error {
	o := w.options.Health
	o.URL = "https://" + addr.String()
	prober, err := health.New(o, w.options.Log)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	one := &watch{backend: backend{addr: addr}, cancel: cancel}
	w.all[addr] = one
	w.running.Go(func() { _ = prober.Run(ctx) }) // which returns no error
	w.running.Go(func() { w.follow(ctx, one, prober) })
	return nil
}

// follow hands on what a prober finds, until ctx ends.
func (w *watches) follow(ctx context.Context, one *watch, prober *health.Prober) {
	said := word{of: one}
	for {
		select {
		case said.ready = <-prober.Ready():
		case said.alive = <-prober.Alive():
			said.dead = !said.alive
		case <-ctx.Done():
			return
		}
		select {
		case w.words <- said:
		case <-ctx.Done():
			return
		}
	}
}

// hear takes a word, and reports if the backend died.
func (w *watches) hear(said word) (died bool) {
	died = said.dead && !said.of.dead
	said.of.ready, said.of.alive, said.of.dead = said.ready, said.alive, said.dead
	return died && w.all[said.of.addr] == said.of
}

// backends returns what is known of all.
func (w *watches) backends(local map[netip.Addr]bool) []backend {
	all := make([]backend, 0, len(w.all))
	for addr, one := range w.all {
		b := one.backend
		b.local = local[addr.Addr()]
		all = append(all, b)
	}
	return all
}

// close ends all probes.
func (w *watches) close() {
	for _, one := range w.all {
		one.cancel()
	}
	w.running.Wait()
}
