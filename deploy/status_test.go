package deploy

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/cloud-provider/service/helpers"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// testStatus writes the status of a Service with the rights of each account.
func (c *cluster) testStatus(t *testing.T) {
	svc := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web", Annotations: map[string]string{"a": "b"}},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Ports: []corev1.ServicePort{{Port: 80}}},
	}
	if err := c.Create(t.Context(), svc); err != nil {
		t.Fatal(err)
	}
	controller, agent := c.as(t, "herald-controller", rest.NoWarnings{}), c.as(t, "herald-agent", rest.NoWarnings{})
	poll(t, "the agent's policy in force", func() bool { return write(t, agent, svc, addressed("192.0.2.9")) != nil })

	for _, test := range []struct {
		name    string
		change  func(*corev1.Service)
		refused bool // to the agent
	}{
		{"where it is reached from outside", external("198.51.100.7:80/TCP,[2001:db8::1]:53/UDP"), false},
		{"that, and another annotation", func(svc *corev1.Service) {
			external("198.51.100.8:80/TCP")(svc)
			svc.Annotations["a"] = "c"
		}, true},
		{"an annotation away", func(svc *corev1.Service) { delete(svc.Annotations, "a") }, true},
		{"reached nowhere", func(svc *corev1.Service) { delete(svc.Annotations, loadbalancer.AnnotationUPnPExternal) }, false},
		{"address and finalizer", addressed("192.0.2.1"), true},
		{"another address", addressed("192.0.2.2"), true},
		{"no address", func(svc *corev1.Service) { svc.Status.LoadBalancer.Ingress = nil }, true},
		{"a request", func(svc *corev1.Service) {
			metav1.SetMetaDataAnnotation(&svc.ObjectMeta, loadbalancer.AnnotationAddresses, "192.0.2.3")
		}, true},
		{"no finalizer", func(svc *corev1.Service) { svc.Finalizers = nil }, true},
		{"a label", func(svc *corev1.Service) { svc.Labels = map[string]string{"a": "b"} }, true},
		{"the controller's condition", conditioned(loadbalancer.ConditionAddressAllocated), true},
		{"the agent's condition", conditioned(loadbalancer.ConditionAnnouncedIPv4), false},
		{"the agent's other condition", conditioned(loadbalancer.ConditionAnnouncedIPv6), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := write(t, agent, svc, test.change)
			switch {
			case !test.refused && err != nil:
				t.Errorf("the agent may not: %v", err)
			case test.refused && (!apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "an agent writes the conditions")):
				t.Errorf("the agent: %v", err)
			}
			if err := write(t, controller, svc, test.change); err != nil {
				t.Errorf("the controller may not: %v", err)
			}
		})
	}
}

// testExternal has an agent write what is no list of addresses.
func (c *cluster) testExternal(t *testing.T) {
	svc := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "outside"},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Ports: []corev1.ServicePort{{Port: 80}}},
	}
	if err := c.Create(t.Context(), svc); err != nil {
		t.Fatal(err)
	}
	agent := c.as(t, "herald-agent", rest.NoWarnings{})
	for _, value := range []string{"http://example.org/", "198.51.100.7:80/TCP\n", strings.Repeat("1", 9000)} {
		if err := write(t, agent, svc, external(value)); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "is a list such as") {
			t.Errorf("%.20q: %v", value, err)
		}
	}
}

// write patches the status of svc, and svc itself if that was allowed.
func write(t *testing.T, user client.Client, svc *corev1.Service, change func(*corev1.Service)) error {
	t.Helper()
	desired := svc.DeepCopy()
	change(desired)
	err := user.Status().Patch(t.Context(), desired, client.StrategicMergeFrom(svc))
	if err == nil {
		*svc = *desired
	}
	return err
}

func addressed(address string) func(*corev1.Service) {
	return func(svc *corev1.Service) {
		svc.Finalizers = []string{helpers.LoadBalancerCleanupFinalizer}
		svc.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: address}}
	}
}

func conditioned(condition string) func(*corev1.Service) {
	return func(svc *corev1.Service) {
		meta.SetStatusCondition(&svc.Status.Conditions, metav1.Condition{
			Type: condition, Status: metav1.ConditionTrue, Reason: "Tested", Message: "by " + condition,
		})
	}
}

func external(points string) func(*corev1.Service) {
	return func(svc *corev1.Service) {
		metav1.SetMetaDataAnnotation(&svc.ObjectMeta, loadbalancer.AnnotationUPnPExternal, points)
	}
}
