// Package apiservers follows where the API servers of a cluster are, for the load
// balancer of the control plane's address.
package apiservers

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// Source is what tells of API servers.
type Source string

// The sources.
const (
	// Nodes are those of the control plane, by label: their internal addresses.
	Nodes Source = "nodes"
	// Endpoints are those that the API servers themselves list, in the
	// EndpointSlices of the Service kubernetes: one family alone, as they do.
	Endpoints Source = "endpoints"
)

// ControlPlaneLabel marks the Nodes of a control plane.
const ControlPlaneLabel = "node-role.kubernetes.io/control-plane"

// Follow tells of the API servers, sorted, at first and after each change, until ctx
// ends; then it returns nil. While the API is away, and when it lists none, nothing is
// told. Nodes are taken to listen on port.
func Follow(ctx context.Context, client kubernetes.Interface, source Source, port uint16, tell func([]netip.AddrPort)) error {
	var selector, namespace string
	switch source {
	case Nodes:
		selector = ControlPlaneLabel
	case Endpoints:
		selector, namespace = labels.Set{discoveryv1.LabelServiceName: "kubernetes"}.String(), metav1.NamespaceDefault
	default:
		return fmt.Errorf("%q is no source of API servers", source)
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = selector }))
	informer := factory.Core().V1().Nodes().Informer()
	if source == Endpoints {
		informer = factory.Discovery().V1().EndpointSlices().Informer()
	}
	changed := make(chan struct{}, 1)
	signal := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { signal() },
		UpdateFunc: func(any, any) { signal() },
		DeleteFunc: func(any) { signal() },
	})
	if err != nil {
		return fmt.Errorf("follow the API servers: %w", err)
	}
	factory.StartWithContext(ctx)
	defer factory.Shutdown()
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return nil
	}
	signal()
	var told []netip.AddrPort
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
		if now := list(informer.GetStore().List(), port); len(now) > 0 && !slices.Equal(now, told) {
			told = now
			tell(now)
		}
	}
}

// list returns the API servers that objects tell of, sorted.
func list(objects []any, port uint16) []netip.AddrPort {
	var all []netip.AddrPort
	for _, object := range objects {
		switch o := object.(type) {
		case *corev1.Node:
			all = append(all, ofNode(o, port)...)
		case *discoveryv1.EndpointSlice:
			all = append(all, ofSlice(o)...)
		}
	}
	slices.SortFunc(all, netip.AddrPort.Compare)
	return slices.Compact(all)
}

// ofNode returns the first internal address of each family.
func ofNode(node *corev1.Node, port uint16) (all []netip.AddrPort) {
	for _, address := range node.Status.Addresses {
		addr, err := netip.ParseAddr(address.Address)
		if address.Type != corev1.NodeInternalIP || err != nil {
			continue
		}
		second := slices.ContainsFunc(all, func(other netip.AddrPort) bool { return other.Addr().Is4() == addr.Is4() })
		if !second && node.DeletionTimestamp == nil {
			all = append(all, netip.AddrPortFrom(addr, port))
		}
	}
	return all
}

func ofSlice(slice *discoveryv1.EndpointSlice) (all []netip.AddrPort) {
	port := uint16(0)
	for _, p := range slice.Ports {
		if p.Port != nil {
			port = cmp.Or(port, uint16(*p.Port))
		}
	}
	for _, endpoint := range slice.Endpoints {
		for _, text := range endpoint.Addresses {
			if addr, err := netip.ParseAddr(text); err == nil && port != 0 {
				all = append(all, netip.AddrPortFrom(addr, port))
			}
		}
	}
	return all
}
