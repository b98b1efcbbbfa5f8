package site

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
	"k8s.io/utils/ptr"

	"github.com/heraldlb/herald/e2e/bench/outage"
)

// servicePort is where Services of the benchmark are asked.
const servicePort = 7

func (s *Site) makeNamespace(ctx context.Context) error {
	namespace, err := s.API.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "bench-"},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	s.namespace = namespace.Name
	return nil
}

func (s *Site) removeNamespace(ctx context.Context) {
	_ = s.API.CoreV1().Namespaces().Delete(ctx, s.namespace, metav1.DeleteOptions{})
}

// Expose makes a Service of a load balancer class that leads to the echo, and
// returns its IPv4 and its IPv6 address.
func (s *Site) Expose(ctx context.Context, name, class string) ([]netip.Addr, error) {
	addresses, err := s.expose(ctx, s.service(name), class)
	if err == nil && addresses[0].Is6() {
		addresses[0], addresses[1] = addresses[1], addresses[0]
	}
	return addresses, err
}

// ExposeAt is Expose with addresses that Herald is asked for, of either family.
func (s *Site) ExposeAt(ctx context.Context, name, class string, addresses ...netip.Addr) ([]netip.Addr, error) {
	service := s.service(name)
	var texts []string
	for _, address := range addresses {
		texts = append(texts, address.String())
	}
	metav1.SetMetaDataAnnotation(&service.ObjectMeta, "heraldlb.io/load-balancer-ips", strings.Join(texts, ","))
	return s.expose(ctx, service, class)
}

// ExposeIPv4 is Expose with an IPv4 address alone.
func (s *Site) ExposeIPv4(ctx context.Context, name, class string) ([]netip.Addr, error) {
	service := s.service(name)
	service.Spec.IPFamilyPolicy = ptr.To(corev1.IPFamilyPolicySingleStack)
	service.Spec.IPFamilies = []corev1.IPFamily{corev1.IPv4Protocol}
	return s.expose(ctx, service, class)
}

// expose returns the addresses as they stand in the status.
func (s *Site) expose(ctx context.Context, service *corev1.Service, class string) ([]netip.Addr, error) {
	name, families := service.Name, len(service.Spec.IPFamilies)
	service.Spec.Type = corev1.ServiceTypeLoadBalancer
	service.Spec.LoadBalancerClass = &class
	if err := s.create(ctx, service); err != nil {
		return nil, err
	}
	list := cache.NewListWatchFromClient(s.API.CoreV1().RESTClient(), "services", s.namespace,
		fields.OneTermEqualSelector(metav1.ObjectNameField, name))
	var addresses []netip.Addr
	_, err := watchtools.UntilWithSync(ctx, list, &corev1.Service{}, nil, func(event watch.Event) (bool, error) {
		service, ok := event.Object.(*corev1.Service)
		if !ok || len(service.Status.LoadBalancer.Ingress) < families {
			return false, nil
		}
		addresses = nil
		for _, ingress := range service.Status.LoadBalancer.Ingress {
			address, err := netip.ParseAddr(ingress.IP)
			if err != nil {
				return false, err
			}
			addresses = append(addresses, address)
		}
		return true, nil
	})
	if err != nil {
		return nil, fmt.Errorf("addresses of Service %s: %w", name, err)
	}
	return addresses, nil
}

// Serve makes kube-proxy lead addresses that somebody else announces to the
// echo.
func (s *Site) Serve(ctx context.Context, name string, addresses ...netip.Addr) error {
	service := s.service(name)
	for _, address := range addresses {
		service.Spec.ExternalIPs = append(service.Spec.ExternalIPs, address.String())
	}
	return s.create(ctx, service)
}

// Unexpose removes a Service, and returns once it is gone.
func (s *Site) Unexpose(ctx context.Context, name string) error {
	if err := s.API.CoreV1().Services(s.namespace).Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return err
	}
	list := cache.NewListWatchFromClient(s.API.CoreV1().RESTClient(), "services", s.namespace,
		fields.OneTermEqualSelector(metav1.ObjectNameField, name))
	gone := func(store cache.Store) (bool, error) { return len(store.List()) == 0, nil }
	_, err := watchtools.UntilWithSync(ctx, list, &corev1.Service{}, gone, func(event watch.Event) (bool, error) {
		return event.Type == watch.Deleted, nil
	})
	return err
}

// service: the echo is no Pod, so that no fault of a node harms it. It has no
// selector, and endpoints of its own.
func (s *Site) service(name string) *corev1.Service {
	port := func(name string, protocol corev1.Protocol) corev1.ServicePort {
		return corev1.ServicePort{Name: name, Protocol: protocol, Port: servicePort, TargetPort: intstr.FromInt32(outage.Port)}
	}
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.ServiceSpec{
			IPFamilyPolicy: ptr.To(corev1.IPFamilyPolicyRequireDualStack),
			IPFamilies:     []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol},
			Ports:          []corev1.ServicePort{port("udp", corev1.ProtocolUDP), port("tcp", corev1.ProtocolTCP)},
		},
	}
}

func (s *Site) create(ctx context.Context, service *corev1.Service) error {
	created, err := s.API.CoreV1().Services(s.namespace).Create(ctx, service, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	for _, address := range s.Cluster.Host(echoHost).Addresses {
		family := corev1.IPv4Protocol
		if address.Is6() {
			family = corev1.IPv6Protocol
		}
		if !slices.Contains(created.Spec.IPFamilies, family) {
			continue
		}
		slice := endpoints(created, address)
		if _, err := s.API.DiscoveryV1().EndpointSlices(s.namespace).Create(ctx, slice, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	return nil
}

func endpoints(service *corev1.Service, address netip.Addr) *discoveryv1.EndpointSlice {
	family := discoveryv1.AddressTypeIPv4
	if address.Is6() {
		family = discoveryv1.AddressTypeIPv6
	}
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			GenerateName:    service.Name + "-",
			Labels:          map[string]string{discoveryv1.LabelServiceName: service.Name},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(service, corev1.SchemeGroupVersion.WithKind("Service"))},
		},
		AddressType: family,
		Endpoints: []discoveryv1.Endpoint{{
			Addresses:  []string{address.String()},
			Conditions: discoveryv1.EndpointConditions{Ready: new(true)},
		}},
	}
	for _, port := range service.Spec.Ports {
		slice.Ports = append(slice.Ports, discoveryv1.EndpointPort{
			Name: new(port.Name), Protocol: new(port.Protocol), Port: new(port.TargetPort.IntVal),
		})
	}
	return slice
}
