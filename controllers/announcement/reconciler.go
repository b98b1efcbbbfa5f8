package announcement

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/election"
)

// announcements is where decisions go. Neither method blocks.
type announcements interface {
	Put(announcer.Announcement) error
	Delete(netip.Addr)
}

// reconciler decides on one address at a time, and tells the announcer.
type reconciler struct {
	self   string
	facts  *facts
	pools  *pools
	ledger *ledger
	target announcements
	// report is told of every address that was decided on.
	report func(netip.Addr)

	// mu keeps an older decision on an address from coming after a newer one.
	mu sync.Mutex
}

// Reconcile implements reconcile.TypedReconciler.
func (r *reconciler) Reconcile(ctx context.Context, addr netip.Addr) (reconcile.Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	holders, err := r.facts.holders(ctx, addr)
	if err != nil {
		return reconcile.Result{}, err
	}
	defer r.report(addr)
	if len(holders) == 0 {
		r.target.Delete(addr)
		r.ledger.released(addr)
		return reconcile.Result{}, nil
	}
	d, err := r.decide(ctx, addr, holders)
	if err != nil {
		return reconcile.Result{}, err
	}
	r.carryOut(addr, d, holders)
	return reconcile.Result{}, nil
}

func (r *reconciler) decide(ctx context.Context, addr netip.Addr, holders []corev1.Service) (decision, error) {
	nodes, err := r.facts.nodes(ctx)
	if err != nil {
		return decision{}, err
	}
	var d decision
	if name, taken := nodes.addresses[addr]; taken {
		// Another load balancer's status may say so: K3s' writes the nodes' own.
		d.invalid = fmt.Errorf("%s is the node %s's own address", addr, name)
		d.speaker, _ = election.Elect(addr, names(election.Alive(nodes.all)))
		return d, nil
	}
	services := make([]election.Service, len(holders))
	for i := range holders {
		if services[i], err = r.facts.service(ctx, &holders[i], addr); err != nil {
			return decision{}, err
		}
		d.local = d.local || services[i].Local
	}
	var ok bool
	if d.owner, ok = election.Elect(addr, election.Eligible(nodes.all, services...)); ok {
		d.speaker = d.owner
	} else {
		d.speaker, _ = election.Elect(addr, names(election.Alive(nodes.all)))
	}
	return d, nil
}

// carryOut tells the announcer and notes what was decided.
func (r *reconciler) carryOut(addr netip.Addr, d decision, holders []corev1.Service) {
	if d.owner != r.self {
		r.target.Delete(addr)
		r.ledger.decided(addr, d)
		return
	}
	r.ledger.decided(addr, d)
	d.invalid = r.target.Put(announcer.Announcement{
		Address:   addr,
		Interface: r.pools.interfaceOf(holders),
		Probe:     !r.ours(addr, holders),
	})
	if d.invalid != nil {
		r.target.Delete(addr)
		r.ledger.decided(addr, d)
	}
}

// ours says whether addr is known to be the cluster's, and not a stranger's:
// this node answers for it, or a condition says that some node does.
func (r *reconciler) ours(addr netip.Addr, holders []corev1.Service) bool {
	return r.ledger.look(addr).status.State == announcer.Announced ||
		slices.ContainsFunc(holders, func(svc corev1.Service) bool { return answered(&svc, addr) })
}

func names(nodes []election.Node) []string {
	all := make([]string, len(nodes))
	for i, n := range nodes {
		all[i] = n.Name
	}
	return all
}
