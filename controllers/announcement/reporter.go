package announcement

import (
	"context"
	"fmt"
	"net/netip"
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

	"github.com/heraldlb/herald/controllers/advertisement"
	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// reporter tells the owners of Services which node answers for their address.
// The condition is the memory of what was told: an event goes with each change
// of it, and where it says already what there is to say, nothing is written.
type reporter struct {
	self   string
	facts  *facts
	ledger *ledger
	view   *LatestView
	// outcome is what is known of the advertisement of an address.
	outcome func(netip.Addr) advertisement.Outcome
	status  client.SubResourceWriter
	events  events.EventRecorder
	writes  *rate.Limiter
	// pace is for all reports but those that another contradicts, a stranger or a
	// node, which have contests: all others follow from what was done here.
	pace, contests *pace
	// changed are the versions of Services that this reporter wrote over. Until
	// the cache shows another, a further write is bound to be refused.
	changed map[types.UID]string
	// words are what was said of the addresses that this node answers for.
	words map[netip.Addr]word
}

// report is a verdict that is to be written to a Service.
type report struct {
	verdict
	svc *corev1.Service
	// wait is how long it is too early, contested that another contradicts.
	wait      time.Duration
	contested bool
}

// Reconcile implements reconcile.TypedReconciler.
func (r *reporter) Reconcile(ctx context.Context, addr netip.Addr) (reconcile.Result, error) {
	rec := r.ledger.look(addr)
	if !rec.held {
		r.pace.forget(addr)
		r.contests.forget(addr)
		delete(r.words, addr)
		return reconcile.Result{}, nil
	}
	reports, err := r.reports(ctx, addr, rec)
	if err != nil || len(reports) == 0 {
		return reconcile.Result{}, err
	}
	var wait time.Duration
	pace := r.pace
	for _, report := range reports {
		wait = max(wait, report.wait)
		if report.contested {
			pace = r.contests
		}
	}
	if wait == 0 {
		wait = pace.wait(addr, time.Now())
	}
	if wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	for _, report := range reports {
		if err := r.write(ctx, addr, report); err != nil {
			return reconcile.Result{}, err
		}
	}
	return reconcile.Result{}, nil
}

// reports returns what there is to write of addr, to each Service that holds it.
func (r *reporter) reports(ctx context.Context, addr netip.Addr, rec record) ([]report, error) {
	holders, err := r.facts.holders(ctx, addr)
	if err != nil {
		return nil, err
	}
	nodes, err := r.facts.nodes(ctx)
	if err != nil {
		return nil, err
	}
	var reports []report
	for i := range holders {
		svc := &holders[i]
		if r.awaited(svc) || !loadbalancer.Foremost(svc, addr) {
			continue
		}
		if report, ok := r.report(svc, addr, rec, nodes); ok && !says(svc, report.condition) {
			reports = append(reports, report)
		}
	}
	return reports, nil
}

func (r *reporter) report(svc *corev1.Service, addr netip.Addr, rec record, nodes *nodes) (report, bool) {
	if v, owned := judge(r.self, rec); owned {
		doubted, wait := r.insist(svc, addr, v)
		return report{v, svc, wait, doubted || v.condition.Reason == ReasonContested}, true
	}
	delete(r.words, addr)
	view, _ := r.view.Get()
	if rec.spokenForByBGP() {
		v, wait, ok := newSpokesman(r.self, addr, rec, nodes).judge(svc, addr, r.outcome(addr), rec.changed, time.Now())
		return report{verdict: v, svc: svc, wait: wait}, ok
	}
	v, after, ok := newWitness(r.self, addr, rec, nodes, view).judge(svc, addr, rec)
	owner, owned := loadbalancer.OwnerOf(svc, addr)
	return report{v, svc, max(0, after-time.Since(rec.changed)), owned && owner.Node != r.self}, ok
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

// says tells whether the condition of svc says what it should.
func says(svc *corev1.Service, condition metav1.Condition) bool {
	now := meta.FindStatusCondition(svc.Status.Conditions, condition.Type)
	return now != nil && now.Status == condition.Status && now.Reason == condition.Reason && now.Message == condition.Message
}

// write patches one condition. Whoever writes has seen what the one before it
// wrote: the optimistic lock refuses an agent that was cut off for a while.
func (r *reporter) write(ctx context.Context, addr netip.Addr, report report) error {
	if err := r.writes.Wait(ctx); err != nil {
		return err
	}
	svc := report.svc
	desired := svc.DeepCopy()
	before := report.enter(desired, addr)
	err := r.status.Patch(ctx, desired, client.StrategicMergeFrom(svc, client.MergeFromWithOptimisticLock{}))
	switch {
	case apierrors.IsConflict(err), apierrors.IsNotFound(err):
		return nil // the cache has yet to show another's change
	case err != nil:
		return fmt.Errorf("write condition %s of %s/%s: %w", report.condition.Type, svc.Namespace, svc.Name, err)
	}
	r.changed[svc.UID] = svc.ResourceVersion
	event, note := report.event, report.condition.Message
	if before != "" && event == eventAnnounced {
		event, note = eventOwnerChanged, note+", before it "+before
	}
	r.events.Eventf(svc, nil, report.eventType, event, "Announce", "%s", note)
	return nil
}
