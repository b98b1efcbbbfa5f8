package advertisement

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// cluster is where an Advertiser reads and reports.
type cluster struct {
	cache cache.Cache
	// node returns what counts of the Node of a name; of one that is not there, what
	// counted before.
	node func(ctx context.Context, name string, before node) node
	// event makes one of an object.
	event func(object *corev1.ObjectReference, eventType, reason, note string)
	// alone says that there is none.
	alone bool
	// secret says that the Secret is watched.
	secret bool
}

// node is what counts of this node's Node.
type node struct {
	name        string
	uid         types.UID
	labels      labels.Set
	annotations map[string]string
	// own are its InternalIPs.
	own []netip.Addr
}

// SetUp adds a to mgr, whose cache holds Nodes and the Secret.
func (a *Advertiser) SetUp(ctx context.Context, mgr ctrl.Manager) error {
	a.cluster.cache = mgr.GetCache()
	recorder := mgr.GetEventRecorder("herald-agent")
	a.cluster.event = func(object *corev1.ObjectReference, eventType, reason, note string) {
		recorder.Eventf(object, nil, eventType, reason, "Advertise", "%s", note)
	}
	a.cluster.node = a.cluster.read
	informer, err := mgr.GetCache().GetInformer(ctx, &corev1.Node{})
	if err != nil {
		return fmt.Errorf("watch Nodes: %w", err)
	}
	mine := func(object any) bool {
		n, ok := object.(*corev1.Node)
		return ok && n.Name == a.o.Node
	}
	reselect := func() { a.change(func(s *stale) { s.selection = true }) }
	_, err = informer.AddEventHandler(toolscache.FilteringResourceEventHandler{FilterFunc: mine, Handler: toolscache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { reselect() },
		UpdateFunc: func(before, after any) {
			if !sameNode(before, after) {
				reselect()
			}
		},
	}})
	if err != nil {
		return fmt.Errorf("watch Nodes: %w", err)
	}
	if err := a.o.Metrics.Register(newCollector(a.Sessions)); err != nil {
		return fmt.Errorf("register metrics of BGP: %w", err)
	}
	return mgr.Add(a)
}

func sameNode(before, after any) bool {
	a, isA := before.(*corev1.Node)
	b, isB := after.(*corev1.Node)
	return isA && isB && maps.Equal(a.Labels, b.Labels) && maps.Equal(a.Annotations, b.Annotations) &&
		slices.Equal(a.Status.Addresses, b.Status.Addresses)
}

// read is node, from the cache.
func (c *cluster) read(ctx context.Context, name string, before node) node {
	var object corev1.Node
	if err := c.cache.Get(ctx, client.ObjectKey{Name: name}, &object); err != nil {
		before.name = name
		return before
	}
	n := node{name: name, uid: object.UID, labels: object.Labels, annotations: object.Annotations}
	for _, a := range object.Status.Addresses {
		if addr, err := netip.ParseAddr(a.Address); err == nil && a.Type == corev1.NodeInternalIP {
			n.own = append(n.own, addr.Unmap())
		}
	}
	return n
}
