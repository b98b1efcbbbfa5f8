// Package service gives Services of type LoadBalancer their addresses: the
// cluster side of Herald, run by one elected controller.
//
// The book (book.go) decides, in memory and under one lock, who holds which
// address and who waits; the reconciler writes what the book says into the
// Services' status. So a failed write loses nothing, and a newcomer cannot
// overtake one that waits.
package service

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// fieldOwner names the controller in the managed fields of a Service.
const fieldOwner = client.FieldOwner("herald-controller")

// reconciler makes the status of each Service what the book says.
type reconciler struct {
	client client.Client
	// live reads from the API server, not from the cache.
	live    client.Reader
	class   loadbalancer.Class
	book    *book
	learner *learner
	events  reporter
}

// Reconcile implements reconcile.Reconciler.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	err := r.reconcile(ctx, req.NamespacedName)
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		// The Service changed, or went, after it was read: its event is on its way.
		log.FromContext(ctx).V(1).Info("Overtaken by a change", "cause", err.Error())
		return reconcile.Result{}, nil
	}
	if contested, ok := errors.AsType[contested](err); ok {
		return reconcile.Result{RequeueAfter: contested.wait}, nil
	}
	return reconcile.Result{}, err
}

func (r *reconciler) reconcile(ctx context.Context, key types.NamespacedName) error {
	if err := r.learner.wait(ctx); err != nil {
		return err
	}
	svc := &corev1.Service{}
	err := r.client.Get(ctx, key, svc)
	switch {
	case apierrors.IsNotFound(err):
		return r.forget(ctx, key)
	case err != nil:
		return fmt.Errorf("read Service: %w", err)
	case r.book.ahead(svc):
		return nil // the cache has yet to see what we wrote, and calls again
	}
	switch roleIn(svc, r.class, r.book.serves(key)) {
	case roleServe:
		return r.ensure(ctx, svc)
	case roleLeave:
		return r.withdraw(ctx, svc)
	case roleReserve:
		r.book.reserve(newClaim(svc))
	case roleNone:
		r.book.leave(key)
	}
	return nil
}

// ensure gives svc what the book grants it.
func (r *reconciler) ensure(ctx context.Context, svc *corev1.Service) error {
	claim := newClaim(svc)
	answer := r.book.ask(claim)
	if answer.poolless && len(answer.addresses) > 0 && slices.Equal(answer.addresses, claim.held) {
		return nil // whether it may have them is not known: what was said of them stands
	}
	return r.write(ctx, svc, ensured(svc, answer.addresses, judgement(claim, answer)))
}

// withdraw takes back what Herald wrote to svc, and only then lets others have
// its addresses.
func (r *reconciler) withdraw(ctx context.Context, svc *corev1.Service) error {
	key := client.ObjectKeyFromObject(svc)
	held := r.book.holding(key)
	foreign := r.class.Foreign(svc)
	desired := withdrawn(svc, func(address netip.Addr) bool {
		return !foreign || slices.Contains(held, address)
	})
	if hasOtherClass(svc, r.class) && svc.DeletionTimestamp.IsZero() {
		desired.Finalizers = svc.Finalizers // the other's by now: all share the name of it
	}
	if err := r.write(ctx, svc, desired); err != nil {
		return err
	}
	r.book.leave(key)
	return nil
}

// write patches the status subresource, which takes the finalizer too: so that
// address and finalizer appear, and go, in one step. The optimistic lock keeps a
// former leader that wakes up late from writing over its successor.
func (r *reconciler) write(ctx context.Context, svc, desired *corev1.Service) error {
	if !differs(svc, desired) {
		r.book.stored(svc)
		return nil
	}
	if err := r.book.pause(svc, desired); err != nil {
		if contested, ok := errors.AsType[contested](err); ok && contested.first {
			r.events.contested(svc, r.others(ctx, svc))
		}
		return err
	}
	r.events.before(svc, desired)
	// Ended before the Lease of a leader that cannot renew it may be another's.
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	patch := client.StrategicMergeFrom(svc, client.MergeFromWithOptimisticLock{})
	if err := r.client.Status().Patch(ctx, desired, patch, fieldOwner); err != nil {
		if !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) && r.book.failed(desired) {
			r.events.failed(svc, err)
		}
		return fmt.Errorf("write the status of Service: %w", err)
	}
	r.book.wrote(desired)
	r.book.stored(desired)
	r.events.after(svc, desired)
	log.FromContext(ctx).Info("Status written", "addresses", list(loadbalancer.Addresses(desired)), "reason", reason(desired))
	return nil
}

// others names the field managers that write the addresses of svc beside Herald;
// the cache does not keep them.
func (r *reconciler) others(ctx context.Context, svc *corev1.Service) []string {
	live := &corev1.Service{}
	if err := r.live.Get(ctx, client.ObjectKeyFromObject(svc), live); err != nil {
		return nil // they are named for convenience only
	}
	var names []string
	for _, field := range live.ManagedFields {
		ours := field.Manager == string(fieldOwner)
		if !ours && field.FieldsV1 != nil && strings.Contains(field.FieldsV1.GetRawString(), `"f:loadBalancer"`) {
			names = append(names, field.Manager)
		}
	}
	return names
}

// forget releases what a Service held that the cache knows no more. It asks the
// API server whether that is so: a cache that lags behind what the book learned
// must not cost a Service its address.
func (r *reconciler) forget(ctx context.Context, key types.NamespacedName) error {
	if len(r.book.holding(key)) > 0 {
		err := r.live.Get(ctx, key, &corev1.Service{})
		if err == nil {
			return nil // it is there, and will reach the cache
		}
		if !apierrors.IsNotFound(err) {
			return fmt.Errorf("is the Service gone: %w", err)
		}
	}
	r.book.leave(key)
	return nil
}
