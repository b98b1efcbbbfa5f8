package announcement

import (
	"context"
	"net/netip"
	"sync"

	"github.com/heraldlb/herald/announcer"
)

// Owned is who owns which address, as the announcer told last. The zero value knows
// nothing. It is safe for concurrent use.
type Owned struct {
	mu       sync.Mutex
	statuses map[netip.Addr]announcer.Status
	told     func()

	connected func() bool
}

// Notify has f called after each change. f must not block.
func (o *Owned) Notify(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told = f
}

// Status returns the announcer's last word on an address. It is false if it has said
// none since it is there.
func (o *Owned) Status(addr netip.Addr) (announcer.Status, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	status, known := o.statuses[addr]
	return status, known
}

// Connected tells whether the announcer is there. If not, its last words may be out of
// date.
func (o *Owned) Connected() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.connected != nil && o.connected()
}

func (o *Owned) observed(status announcer.Status) {
	o.change(func() {
		if o.statuses == nil {
			o.statuses = make(map[netip.Addr]announcer.Status)
		}
		if status.State == announcer.Withdrawn {
			delete(o.statuses, status.Address)
			return
		}
		o.statuses[status.Address] = status
	})
}

// reset forgets everything: the announcer will say it anew.
func (o *Owned) reset() { o.change(func() { o.statuses = nil }) }

func (o *Owned) change(f func()) {
	o.mu.Lock()
	f()
	told := o.told
	o.mu.Unlock()
	if told != nil {
		told()
	}
}

// lasting returns a run whose context ends only when until is closed, too.
func lasting(run func(context.Context) error, until <-chan struct{}) func(context.Context) error {
	if until == nil {
		return run
	}
	return func(ctx context.Context) error {
		longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		stop := context.AfterFunc(ctx, func() {
			<-until
			cancel()
		})
		defer stop()
		return run(longer)
	}
}
