package service

import (
	"context"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// waker enqueues Services whose turn has come though nothing of them changed.
// It is a source of the controller, and never blocks.
type waker struct {
	queue atomic.Pointer[workqueue.TypedRateLimitingInterface[reconcile.Request]]
}

// Start implements source.Source.
func (w *waker) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	w.queue.Store(&queue)
	return nil
}

// wake enqueues keys. Before Start there is nobody to wake: what the controller
// finds when it starts it reconciles anyway.
func (w *waker) wake(keys []types.NamespacedName) {
	queue := w.queue.Load()
	if queue == nil {
		return
	}
	for _, key := range keys {
		(*queue).Add(reconcile.Request{NamespacedName: key})
	}
}
