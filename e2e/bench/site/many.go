package site

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
	"k8s.io/utils/ptr"
)

const (
	// workers is how many Services are made at a time.
	workers = 16
	// proxyName keeps kube-proxy from a Service: where only the announcement
	// counts, its rules would cost the machine more than all else.
	proxyName = "service.kubernetes.io/service-proxy-name"
	manyLabel = "bench.heraldlb.io/many"
)

// Many says how Services are that lead nowhere.
type Many struct {
	// Class is their class.
	Class string
	// Family is that of their one address each.
	Family corev1.IPFamily
	// Endpoint says that each has an endpoint, without which some implementations
	// do not announce.
	Endpoint bool
}

// ExposeMany makes Services, until there
// are so many of their class where there were from, and returns all their addresses:
// kube-proxy does not serve them.
func (s *Site) ExposeMany(ctx context.Context, of Many, from, count int) ([]netip.Addr, error) {
	var group errgroup.Group
	group.SetLimit(workers)
	var made atomic.Int64
	for i := from; i < count; i++ {
		group.Go(func() error {
			if err := s.exposeSilently(ctx, of, i); err != nil {
				return err
			}
			if n := made.Add(1); n%1000 == 0 {
				s.Logf("%d Services made", n)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return s.many(ctx, of.Class, count)
}

func (s *Site) exposeSilently(ctx context.Context, of Many, i int) error {
	service := s.service(fmt.Sprintf("many-%s-%d", strings.ReplaceAll(classLabel(of.Class), ".", "-"), i))
	service.Labels = map[string]string{proxyName: "none", manyLabel: classLabel(of.Class)}
	service.Spec.Type = corev1.ServiceTypeLoadBalancer
	service.Spec.LoadBalancerClass = &of.Class
	service.Spec.IPFamilyPolicy = ptr.To(corev1.IPFamilyPolicySingleStack)
	service.Spec.IPFamilies = []corev1.IPFamily{of.Family}
	service.Spec.AllocateLoadBalancerNodePorts = new(false)
	created, err := s.API.CoreV1().Services(s.namespace).Create(ctx, service, metav1.CreateOptions{})
	if err != nil || !of.Endpoint {
		return err
	}
	addresses := s.Cluster.Host(echoHost).Addresses
	slice := endpoints(created, addresses[0])
	if of.Family == corev1.IPv6Protocol {
		slice = endpoints(created, addresses[1])
	}
	slice.Labels[proxyName] = "none"
	_, err = s.API.DiscoveryV1().EndpointSlices(s.namespace).Create(ctx, slice, metav1.CreateOptions{})
	return err
}

// classLabel makes a class a label's value.
func classLabel(class string) string { return strings.ReplaceAll(class, "/", ".") }

// many waits until so many Services of a class have their address.
func (s *Site) many(ctx context.Context, class string, count int) ([]netip.Addr, error) {
	selector := labels.Set{manyLabel: classLabel(class)}.String()
	list := cache.NewFilteredListWatchFromClient(s.API.CoreV1().RESTClient(), "services", s.namespace,
		func(options *metav1.ListOptions) { options.LabelSelector = selector })
	found := map[string]netip.Addr{}
	_, err := watchtools.UntilWithSync(ctx, list, &corev1.Service{}, nil, func(event watch.Event) (bool, error) {
		service, ok := event.Object.(*corev1.Service)
		if !ok || len(service.Status.LoadBalancer.Ingress) == 0 {
			return false, nil
		}
		address, err := netip.ParseAddr(service.Status.LoadBalancer.Ingress[0].IP)
		if err != nil {
			return false, err
		}
		found[service.Name] = address
		return len(found) == count, nil
	})
	if err != nil {
		return nil, fmt.Errorf("%d of %d Services have an address: %w", len(found), count, err)
	}
	addresses := make([]netip.Addr, 0, count)
	for _, address := range found {
		addresses = append(addresses, address)
	}
	return addresses, nil
}

// UnexposeMany removes the Services of a class that ExposeMany made.
func (s *Site) UnexposeMany(ctx context.Context, class string) error {
	services, err := s.API.CoreV1().Services(s.namespace).List(ctx, metav1.ListOptions{
		LabelSelector: labels.Set{manyLabel: classLabel(class)}.String(),
	})
	if err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(workers)
	for _, service := range services.Items {
		group.Go(func() error {
			return s.API.CoreV1().Services(s.namespace).Delete(ctx, service.Name, metav1.DeleteOptions{})
		})
	}
	return group.Wait()
}
