package outage

import (
	"context"
	"net/netip"
	"sync"

	"github.com/heraldlb/herald/e2e/bench/clock"
)

// flowCount is from how many sockets Flows asks: a router that spreads flows over
// several nodes hardly leaves one of them out.
const flowCount = 64

// flows asks by UDP as datagrams does, from many sockets in turn.
type flows struct {
	target netip.AddrPort
	record *record
}

func (f *flows) ask(ctx context.Context) error {
	var all []*datagrams
	var listening sync.WaitGroup
	defer listening.Wait()
	defer func() { closeAll(all) }()
	for len(all) < flowCount {
		d := &datagrams{target: f.target, record: f.record}
		if err := d.connect(ctx); err != nil {
			return err
		}
		all = append(all, d)
		listening.Go(d.listen)
	}
	next := 0
	return tick(ctx, func(at clock.Instant) error {
		next = (next + 1) % len(all)
		all[next].send(at)
		return nil
	})
}

func closeAll(all []*datagrams) {
	for _, d := range all {
		_ = d.conn.Close()
	}
}
