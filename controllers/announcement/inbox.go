package announcement

import (
	"context"
	"net/netip"
	"sync"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// inbox is a controller's source of addresses that anybody may add to, at any
// time and without waiting.
type inbox struct {
	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[netip.Addr]
	// early are those that came before the controller started.
	early map[netip.Addr]struct{}
}

var _ source.TypedSource[netip.Addr] = (*inbox)(nil)

// add has the controller reconcile addr.
func (i *inbox) add(addr netip.Addr) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.queue != nil {
		i.queue.Add(addr)
		return
	}
	if i.early == nil {
		i.early = make(map[netip.Addr]struct{})
	}
	i.early[addr] = struct{}{}
}

// Start implements source.TypedSource.
func (i *inbox) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[netip.Addr]) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.queue = queue
	for addr := range i.early {
		queue.Add(addr)
	}
	i.early = nil
	return nil
}
