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
	"github.com/heraldlb/herald/controllers/advertisement"
	"github.com/heraldlb/herald/controllers/loadbalancer"
	"github.com/heraldlb/herald/election"
	"github.com/heraldlb/herald/nodesocket"
)

// candidacies is where decisions go. Neither method blocks.
type candidacies interface {
	Put(announcer.Candidacy) error
	Delete(netip.Addr)
}

// routes is where goes what this node is to tell its routers. Neither method blocks.
type routes interface {
	Put(advertisement.Address)
	Delete(netip.Addr)
}

// reconciler decides on one address at a time, and tells the announcer and the routers.
type reconciler struct {
	self   string
	facts  *facts
	pools  *pools
	ledger *ledger
	target candidacies
	routes routes
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
		r.routes.Delete(addr)
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
	if name, taken := nodes.addresses[addr]; taken {
		// Another load balancer's status may say so: K3s' writes the nodes' own.
		return decision{invalid: fmt.Errorf("%s is the node %s's own address", addr, name)}, nil
	}
	var d decision
	count := make([]holder, len(holders))
	for i := range holders {
		if count[i], err = r.facts.holder(ctx, &holders[i], addr); err != nil {
			return decision{}, err
		}
		d.local = d.local || count[i].local
	}
	able := eligible(nodes.standing, count...)
	d.eligible, d.nobody = slices.Contains(able, r.self), len(able) == 0
	if d.local {
		d.hosts = election.Heaviest(addr, able, announcer.MaxHosts)
	}
	return d, nil
}

// carryOut tells the announcer and the routers, and notes what was decided.
func (r *reconciler) carryOut(addr netip.Addr, d decision, holders []corev1.Service) {
	how := r.pools.announce(holders)
	d.routed = how.BGP && !how.L2
	r.advertise(addr, &d, how.BGP, holders)
	if d.invalid == nil && how.L2 {
		d.invalid = r.target.Put(announcer.Candidacy{
			Announcement: announcer.Announcement{
				Address:   addr,
				Interface: r.pools.interfaceOf(holders),
				Probe:     !r.ours(addr, holders),
			},
			Eligible: d.eligible,
			Hosts:    d.hosts,
		})
	}
	if d.invalid != nil || !how.L2 {
		r.target.Delete(addr)
	}
	r.ledger.decided(addr, d)
}

// advertise has this node tell its routers of addr, if it is one to be told of and this
// node may serve it.
func (r *reconciler) advertise(addr netip.Addr, d *decision, wanted bool, holders []corev1.Service) {
	if wanted && d.invalid == nil {
		d.invalid = nodesocket.Validate(announcer.Candidacy{Announcement: announcer.Announcement{Address: addr}})
	}
	if !wanted || !d.eligible || d.invalid != nil {
		r.routes.Delete(addr)
		return
	}
	address := advertisement.Address{Address: addr}
	for i := range holders {
		address.Holders = append(address.Holders, advertisement.Holder{
			Pool: r.pools.scope(holders[i].Namespace), Labels: holders[i].Labels,
		})
	}
	r.routes.Put(address)
}

// ours says whether addr is known to be the cluster's, and not a stranger's: a
// condition says that a node answers for it, or this one does. What other nodes
// claim the announcer hears itself.
func (r *reconciler) ours(addr netip.Addr, holders []corev1.Service) bool {
	for i := range holders {
		if _, owned := loadbalancer.OwnerOf(&holders[i], addr); owned {
			return true
		}
	}
	return r.ledger.look(addr).status.State == announcer.Announced
}
