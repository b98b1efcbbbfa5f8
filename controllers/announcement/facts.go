package announcement

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// The indexes of the cache.
const (
	// indexAddress finds the Services of our class that hold an address.
	indexAddress = "herald.address"
	// indexService finds the EndpointSlices of a Service.
	indexService = "herald.service"
)

// facts reads the cache, and gives what a decision needs.
type facts struct {
	cache client.Reader
	class loadbalancer.Class
	// serveExcluded has nodes own addresses that are excluded from external load
	// balancers.
	serveExcluded bool

	mu sync.Mutex
	// listed is the last listing of the Nodes, nil after a change.
	listed *nodes
}

// nodes is what is known of all Nodes.
type nodes struct {
	count int
	// standing are the names of those that may own addresses: neither excluded
	// nor being deleted.
	standing []string
	// ready are the names of those that are ready, or of all if none is: that
	// says more of who watches the nodes than of the nodes.
	ready []string
	// addresses are the nodes' own, with the names of the nodes.
	addresses map[netip.Addr]string
}

// index registers the indexes, and with them the informers.
func (f *facts) index(ctx context.Context, indexer client.FieldIndexer) error {
	err := indexer.IndexField(ctx, &corev1.Service{}, indexAddress, func(object client.Object) []string {
		svc, ok := object.(*corev1.Service)
		if !ok || !f.serves(svc) {
			return nil
		}
		var held []string
		for _, addr := range loadbalancer.Addresses(svc) {
			held = append(held, addr.String())
		}
		return held
	})
	if err != nil {
		return fmt.Errorf("index Services: %w", err)
	}
	err = indexer.IndexField(ctx, &discoveryv1.EndpointSlice{}, indexService, func(object client.Object) []string {
		return []string{object.GetLabels()[discoveryv1.LabelServiceName]}
	})
	if err != nil {
		return fmt.Errorf("index EndpointSlices: %w", err)
	}
	return nil
}

// serves says whether svc counts as a holder of its addresses. One that is
// being deleted does not: its address has to be silent before it is another's.
func (f *facts) serves(svc *corev1.Service) bool {
	return f.class.Matches(svc) && svc.DeletionTimestamp == nil
}

// holders returns the Services that hold addr, by namespace and name.
func (f *facts) holders(ctx context.Context, addr netip.Addr) ([]corev1.Service, error) {
	var list corev1.ServiceList
	if err := f.cache.List(ctx, &list, client.MatchingFields{indexAddress: addr.String()}); err != nil {
		return nil, fmt.Errorf("list Services that hold %s: %w", addr, err)
	}
	slices.SortFunc(list.Items, func(a, b corev1.Service) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	return list.Items, nil
}

// addresses returns every address that a Service holds.
func (f *facts) addresses(ctx context.Context) ([]netip.Addr, error) {
	var list corev1.ServiceList
	if err := f.cache.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list Services: %w", err)
	}
	var all []netip.Addr
	for i := range list.Items {
		if f.serves(&list.Items[i]) {
			all = append(all, loadbalancer.Addresses(&list.Items[i])...)
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return slices.Compact(all), nil
}

// nodesChanged has the Nodes listed anew when they are next asked for.
func (f *facts) nodesChanged() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listed = nil
}

// nodes returns what is known of all Nodes.
func (f *facts) nodes(ctx context.Context) (*nodes, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.listed != nil {
		return f.listed, nil
	}
	var list corev1.NodeList
	if err := f.cache.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list Nodes: %w", err)
	}
	listed := &nodes{count: len(list.Items), addresses: make(map[netip.Addr]string)}
	var all []string
	for i := range list.Items {
		n := nodeOf(&list.Items[i])
		all = append(all, n.name)
		if n.ready {
			listed.ready = append(listed.ready, n.name)
		}
		if (!n.excluded || f.serveExcluded) && !n.leaving {
			listed.standing = append(listed.standing, n.name)
		}
		for _, addr := range ownAddresses(&list.Items[i]) {
			listed.addresses[addr] = n.name
		}
	}
	if len(listed.ready) == 0 {
		listed.ready = all
	}
	f.listed = listed
	return listed, nil
}

// peers returns the addresses of all nodes but self, sorted.
func (n *nodes) peers(self string) []netip.Addr {
	var peers []netip.Addr
	for addr, name := range n.addresses {
		if name != self {
			peers = append(peers, addr)
		}
	}
	slices.SortFunc(peers, netip.Addr.Compare)
	return peers
}

// ownAddresses returns the addresses that the node has on its interfaces.
func ownAddresses(n *corev1.Node) []netip.Addr {
	var own []netip.Addr
	for _, a := range n.Status.Addresses {
		if addr, err := netip.ParseAddr(a.Address); err == nil && a.Type == corev1.NodeInternalIP {
			own = append(own, addr.Unmap())
		}
	}
	return own
}

// holder returns what counts of svc for an address of the family of addr.
func (f *facts) holder(ctx context.Context, svc *corev1.Service, addr netip.Addr) (holder, error) {
	if !isLocal(svc) {
		return holder{}, nil
	}
	var list discoveryv1.EndpointSliceList
	err := f.cache.List(ctx, &list, client.UnsafeDisableDeepCopy,
		client.InNamespace(svc.Namespace), client.MatchingFields{indexService: svc.Name})
	if err != nil {
		return holder{}, fmt.Errorf("list EndpointSlices of %s/%s: %w", svc.Namespace, svc.Name, err)
	}
	counts := holder{local: true}
	for _, slice := range list.Items {
		if slice.AddressType != discoveryv1.AddressType(loadbalancer.Family(addr)) {
			continue
		}
		for _, e := range slice.Endpoints {
			counts.endpoints = append(counts.endpoints, endpointOf(e))
		}
	}
	return counts, nil
}

func isLocal(svc *corev1.Service) bool {
	return svc.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal
}

func nodeOf(n *corev1.Node) node {
	_, excluded := n.Labels[corev1.LabelNodeExcludeBalancers]
	return node{
		name:     n.Name,
		excluded: excluded,
		leaving:  n.DeletionTimestamp != nil,
		ready: slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
			return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
		}),
	}
}

// endpointOf fills in what the API says of conditions that are not set: ready,
// serving as ready, not terminating.
func endpointOf(e discoveryv1.Endpoint) endpoint {
	ready := ptr.Deref(e.Conditions.Ready, true)
	return endpoint{
		node:        ptr.Deref(e.NodeName, ""),
		ready:       ready,
		serving:     ptr.Deref(e.Conditions.Serving, ready),
		terminating: ptr.Deref(e.Conditions.Terminating, false),
	}
}
