package announcement

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// reporter tells the owners of Services which node answers for their address.
// The condition is the memory of what was told: an event goes with each change
// of it, and where it says already what there is to say, nothing is written.
type reporter struct {
	self   string
	facts  *facts
	ledger *ledger
	status client.SubResourceWriter
	events events.EventRecorder
	writes *rate.Limiter
	// pace is for all reports but those that an address is contested, which have
	// contests: all others follow from what was done or decided here.
	pace, contests *pace
	// changed are the versions of Services that this reporter wrote over. Until
	// the cache shows another, a further write is bound to be refused.
	changed map[types.UID]string
}

// Reconcile implements reconcile.TypedReconciler.
func (r *reporter) Reconcile(ctx context.Context, addr netip.Addr) (reconcile.Result, error) {
	rec := r.ledger.look(addr)
	if !rec.held {
		r.pace.forget(addr)
		r.contests.forget(addr)
	}
	v, ok := judge(r.self, addr, rec)
	if !ok {
		return reconcile.Result{}, nil
	}
	holders, err := r.facts.holders(ctx, addr)
	if err != nil {
		return reconcile.Result{}, err
	}
	holders = slices.DeleteFunc(holders, func(svc corev1.Service) bool {
		return r.awaited(&svc) || says(&svc, addr, v.condition)
	})
	if len(holders) == 0 {
		return reconcile.Result{}, nil
	}
	pace := r.pace
	if v.condition.Reason == ReasonContested {
		pace = r.contests
	}
	if wait := pace.wait(addr, time.Now()); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	for i := range holders {
		if err := r.write(ctx, &holders[i], v); err != nil {
			return reconcile.Result{}, err
		}
	}
	return reconcile.Result{}, nil
}

// awaited tells whether the cache has yet to show what was written to svc. It
// will, and call again.
func (r *reporter) awaited(svc *corev1.Service) bool {
	if r.changed[svc.UID] == svc.ResourceVersion {
		return true
	}
	delete(r.changed, svc.UID)
	return false
}

// says tells whether there is nothing to write to svc: its condition says what
// it should, or speaks of another address of the family.
func says(svc *corev1.Service, addr netip.Addr, condition metav1.Condition) bool {
	addresses := loadbalancer.Addresses(svc)
	first := slices.IndexFunc(addresses, func(other netip.Addr) bool { return other.BitLen() == addr.BitLen() })
	if first < 0 || addresses[first] != addr {
		return true
	}
	now := meta.FindStatusCondition(svc.Status.Conditions, condition.Type)
	return now != nil && now.Status == condition.Status && now.Reason == condition.Reason && now.Message == condition.Message
}

// write patches one condition. Whoever writes has seen what the one before it
// wrote: the optimistic lock refuses an agent that was cut off for a while.
func (r *reporter) write(ctx context.Context, svc *corev1.Service, v verdict) error {
	if err := r.writes.Wait(ctx); err != nil {
		return err
	}
	desired := svc.DeepCopy()
	meta.SetStatusCondition(&desired.Status.Conditions, v.condition)
	err := r.status.Patch(ctx, desired, client.StrategicMergeFrom(svc, client.MergeFromWithOptimisticLock{}))
	switch {
	case apierrors.IsConflict(err), apierrors.IsNotFound(err):
		return nil // the cache has yet to show another's change
	case err != nil:
		return fmt.Errorf("write condition %s of %s/%s: %w", v.condition.Type, svc.Namespace, svc.Name, err)
	}
	r.changed[svc.UID] = svc.ResourceVersion
	r.events.Eventf(svc, nil, v.eventType, v.event, "Announce", "%s", v.condition.Message)
	return nil
}
