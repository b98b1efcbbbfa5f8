package announcement

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// sources are the events of the cluster, as the addresses that they touch.
func (a *agent) sources() []watched {
	return []watched{
		kind(a, &corev1.Service{}, a.ofService),
		kind(a, &discoveryv1.EndpointSlice{}, a.ofEndpointSlice),
		kind(a, &corev1.Node{}, a.ofNode, later[*corev1.Node](), predicate.TypedFuncs[*corev1.Node]{
			UpdateFunc: func(e event.TypedUpdateEvent[*corev1.Node]) bool {
				return nodeOf(e.ObjectOld) != nodeOf(e.ObjectNew) ||
					!slices.Equal(ownAddresses(e.ObjectOld), ownAddresses(e.ObjectNew))
			},
		}),
		kind(a, &corev1.ConfigMap{}, a.ofConfigMap, later[*corev1.ConfigMap]()),
	}
}

// later drops what is there when the agent starts: the first pass reads it once it
// is watched, and every address once is enough.
func later[T client.Object]() predicate.TypedPredicate[T] {
	return predicate.TypedFuncs[T]{
		CreateFunc: func(e event.TypedCreateEvent[T]) bool { return !e.IsInInitialList },
	}
}

// kind is a source whose requests are what touched returns, of an update both
// for the old object and for the new.
func kind[T client.Object](a *agent, object T, touched func(context.Context, T) []netip.Addr, predicates ...predicate.TypedPredicate[T]) watched {
	return watched{
		TypedSyncingSource: source.TypedKind(a.manager.GetCache(), object, handler.TypedEnqueueRequestsFromMapFunc(touched), predicates...),
		begun:              make(chan struct{}),
	}
}

// watched is a source that tells by begun when it misses no change any more: what is
// read after that is as new as the events, or is followed by one.
type watched struct {
	source.TypedSyncingSource[netip.Addr]
	begun chan struct{}
}

// WaitForSync implements source.TypedSyncingSource. A controller calls it once.
func (w watched) WaitForSync(ctx context.Context) error {
	if err := w.TypedSyncingSource.WaitForSync(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	close(w.begun)
	return nil
}

// String implements fmt.Stringer, for the log.
func (w watched) String() string { return fmt.Sprint(w.TypedSyncingSource) }

func (a *agent) ofService(_ context.Context, svc *corev1.Service) []netip.Addr {
	return loadbalancer.Addresses(svc)
}

// ofEndpointSlice returns the addresses of its family that its Service holds,
// if endpoints matter to that.
func (a *agent) ofEndpointSlice(ctx context.Context, slice *discoveryv1.EndpointSlice) []netip.Addr {
	var svc corev1.Service
	key := types.NamespacedName{Namespace: slice.Namespace, Name: slice.Labels[discoveryv1.LabelServiceName]}
	if err := a.manager.GetCache().Get(ctx, key, &svc); err != nil || !isLocal(&svc) {
		return nil // of no load balancer, or none yet: the Service's event will come
	}
	var touched []netip.Addr
	for _, addr := range loadbalancer.Addresses(&svc) {
		if slice.AddressType == discoveryv1.AddressType(loadbalancer.Family(addr)) {
			touched = append(touched, addr)
		}
	}
	return touched
}

func (a *agent) ofNode(ctx context.Context, _ *corev1.Node) []netip.Addr {
	a.facts.nodesChanged()
	if err := a.tellNodes(ctx); err != nil {
		a.log.Error(err, "the announcer is not told of the nodes")
	}
	return a.all(ctx)
}

func (a *agent) ofConfigMap(ctx context.Context, _ *corev1.ConfigMap) []netip.Addr {
	if err := a.pools.load(ctx); err != nil {
		a.log.Error(err, "pools not loaded")
	}
	return a.all(ctx)
}

func (a *agent) all(ctx context.Context) []netip.Addr {
	addresses, err := a.facts.addresses(ctx)
	if err != nil {
		a.log.Error(err, "addresses not listed")
	}
	return addresses
}
