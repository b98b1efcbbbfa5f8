package scene

import (
	"context"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/util/retry"
)

// Herald's words on a Service, written out here as its users know them.
const (
	Class              = "heraldlb.io/herald"
	AskAddress         = "heraldlb.io/load-balancer-ips"
	SharingKey         = "heraldlb.io/sharing-key"
	ConditionAllocated = "heraldlb.io/AddressAllocated"
	Finalizer          = "service.kubernetes.io/load-balancer-cleanup"
)

// Change is something about a Service that differs from the plain one.
type Change func(*corev1.Service)

// Expose makes a Service of type LoadBalancer in front of the Deployment of the
// same name, on port HTTP of one family, unless the changes say otherwise.
func (s *Scene) Expose(ctx context.Context, name string, changes ...Change) *corev1.Service {
	GinkgoHelper()
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{}},
		Spec: corev1.ServiceSpec{
			Type:     corev1.ServiceTypeLoadBalancer,
			Selector: map[string]string{selector: name},
		},
	}
	for _, change := range changes {
		change(service)
	}
	if len(service.Spec.Ports) == 0 {
		Ports(TCP(HTTP))(service)
	}
	created, err := s.API.CoreV1().Services(s.Namespace).Create(ctx, service, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	return created
}

// Edit changes a Service that is there.
func (s *Scene) Edit(ctx context.Context, name string, changes ...Change) {
	GinkgoHelper()
	services := s.API.CoreV1().Services(s.Namespace)
	Expect(retry.RetryOnConflict(retry.DefaultRetry, func() error {
		service, err := services.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, change := range changes {
			change(service)
		}
		_, err = services.Update(ctx, service, metav1.UpdateOptions{})
		return err
	})).To(Succeed())
}

// Delete deletes a Service without waiting for it to be gone.
func (s *Scene) Delete(ctx context.Context, name string) {
	GinkgoHelper()
	Expect(s.API.CoreV1().Services(s.Namespace).Delete(ctx, name, metav1.DeleteOptions{})).To(Succeed())
}

// Service returns a Service as it stands.
func (s *Scene) Service(ctx context.Context, name string) (*corev1.Service, error) {
	return s.API.CoreV1().Services(s.Namespace).Get(ctx, name, metav1.GetOptions{})
}

// Addresses waits until a Service has n addresses, and returns them.
func (s *Scene) Addresses(ctx context.Context, name string, n int) []netip.Addr {
	GinkgoHelper()
	var addresses []netip.Addr
	Eventually(func(g Gomega) {
		service, err := s.Service(ctx, name)
		g.Expect(err).NotTo(HaveOccurred())
		addresses, err = Addresses(service)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(addresses).To(HaveLen(n), "conditions %v", service.Status.Conditions)
	}).WithContext(ctx).Should(Succeed())
	return addresses
}

// Address waits until a Service has its one address.
func (s *Scene) Address(ctx context.Context, name string) netip.Addr {
	GinkgoHelper()
	return s.Addresses(ctx, name, 1)[0]
}

// Refused waits until a Service's condition gives the reason why it has no
// address, and returns the condition's message.
func (s *Scene) Refused(ctx context.Context, name, reason string) string {
	GinkgoHelper()
	var message string
	Eventually(func(g Gomega) {
		service, err := s.Service(ctx, name)
		g.Expect(err).NotTo(HaveOccurred())
		condition := meta.FindStatusCondition(service.Status.Conditions, ConditionAllocated)
		g.Expect(condition).NotTo(BeNil())
		g.Expect(condition.Reason).To(Equal(reason), condition.Message)
		g.Expect(condition.Status).To(Equal(metav1.ConditionFalse))
		g.Expect(service.Status.LoadBalancer.Ingress).To(BeEmpty())
		message = condition.Message
	}).WithContext(ctx).Should(Succeed())
	return message
}

// Addresses returns what a Service's status holds.
func Addresses(service *corev1.Service) ([]netip.Addr, error) {
	var addresses []netip.Addr
	for _, ingress := range service.Status.LoadBalancer.Ingress {
		address, err := netip.ParseAddr(ingress.IP)
		if err != nil {
			return nil, err
		}
		addresses = append(addresses, address)
	}
	return addresses, nil
}

// Dual asks for both families.
func Dual(service *corev1.Service) {
	policy := corev1.IPFamilyPolicyRequireDualStack
	service.Spec.IPFamilyPolicy = &policy
}

// Family asks for one family.
func Family(family corev1.IPFamily) Change {
	return func(service *corev1.Service) {
		policy := corev1.IPFamilyPolicySingleStack
		service.Spec.IPFamilyPolicy = &policy
		service.Spec.IPFamilies = []corev1.IPFamily{family}
	}
}

// NoNodePorts has the API server allocate no node ports, which takes it longer than
// all the rest of a Service.
func NoNodePorts(service *corev1.Service) {
	none := false
	service.Spec.AllocateLoadBalancerNodePorts = &none
}

// Ask asks for given addresses.
func Ask(addresses string) Change { return Annotate(AskAddress, addresses) }

// Share lets the Service share its address with those of the same key.
func Share(key string) Change { return Annotate(SharingKey, key) }

// Annotate sets an annotation.
func Annotate(name, value string) Change {
	return func(service *corev1.Service) {
		metav1.SetMetaDataAnnotation(&service.ObjectMeta, name, value)
	}
}

// For selects the Pods of a Deployment of another name.
func For(deployment string) Change {
	return func(service *corev1.Service) { service.Spec.Selector = map[string]string{selector: deployment} }
}

// OfClass sets the load balancer class.
func OfClass(class string) Change {
	return func(service *corev1.Service) { service.Spec.LoadBalancerClass = &class }
}

// Local makes nodes pass requests on to their own Pods only.
func Local(service *corev1.Service) {
	service.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
}

// OfType changes the Service's type.
func OfType(kind corev1.ServiceType) Change {
	return func(service *corev1.Service) { service.Spec.Type = kind }
}

// Ports are the Service's ports.
func Ports(ports ...corev1.ServicePort) Change {
	return func(service *corev1.Service) { service.Spec.Ports = ports }
}

// TCP is a port that leads to the same port of the Pods.
func TCP(port int32) corev1.ServicePort { return servicePort("tcp", corev1.ProtocolTCP, port, port) }

// UDP is a port that leads to the same port of the Pods.
func UDP(port int32) corev1.ServicePort { return servicePort("udp", corev1.ProtocolUDP, port, port) }

// TCPTo is a port that leads to another port of the Pods.
func TCPTo(port, target int32) corev1.ServicePort {
	return servicePort("tcp", corev1.ProtocolTCP, port, target)
}

func servicePort(prefix string, protocol corev1.Protocol, port, target int32) corev1.ServicePort {
	number := intstr.FromInt32(port)
	return corev1.ServicePort{
		Name:       prefix + "-" + number.String(),
		Protocol:   protocol,
		Port:       port,
		TargetPort: intstr.FromInt32(target),
	}
}
