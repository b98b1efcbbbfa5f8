package service

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// waker enqueues Services whose turn has come though nothing of them changed.
// It is a source of the controller, and never blocks.
type waker struct {
	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[reconcile.Request]
	early []types.NamespacedName // woken before Start
}

// Start implements source.Source.
func (w *waker) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	w.mu.Lock()
	w.queue = queue
	early := w.early
	w.early = nil
	w.mu.Unlock()

	w.wake(early)
	return nil
}

// wake enqueues keys; before Start it remembers them.
func (w *waker) wake(keys []types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()

	if w.queue == nil {
		w.early = append(w.early, keys...)
		return
	}
	for _, key := range keys {
		w.queue.Add(reconcile.Request{NamespacedName: key})
	}
}
