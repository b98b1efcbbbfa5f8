package announcement

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
)

func metadata(annotations map[string]string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: "default", Name: "x", UID: "u", ResourceVersion: "7",
		Labels:          map[string]string{"app": "x", discoveryv1.LabelServiceName: "web", corev1.LabelNodeExcludeBalancers: ""},
		Annotations:     annotations,
		OwnerReferences: []metav1.OwnerReference{{Name: "owner"}},
		ManagedFields:   []metav1.ManagedFieldsEntry{{Manager: "kubectl"}},
	}
}

func TestStrip(t *testing.T) {
	kept := metav1.ObjectMeta{Namespace: "default", Name: "x", UID: "u", ResourceVersion: "7"}
	with := func(change func(*metav1.ObjectMeta)) metav1.ObjectMeta { m := *kept.DeepCopy(); change(&m); return m }
	ready := corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionTrue}
	class := "heraldlb.io/herald"
	tests := map[string]struct {
		transform toolscache.TransformFunc
		in, want  any
	}{
		"Service": {
			stripping(stripService),
			&corev1.Service{
				ObjectMeta: metadata(map[string]string{"heraldlb.io/interface": "eth1", "kube-vip.io/ignore": "true", "kubectl.kubernetes.io/last-applied-configuration": "{}"}),
				Spec: corev1.ServiceSpec{
					Type: corev1.ServiceTypeLoadBalancer, LoadBalancerClass: &class, ClusterIP: "10.96.0.1",
					ExternalTrafficPolicy: corev1.ServiceExternalTrafficPolicyLocal, Ports: []corev1.ServicePort{{Port: 80}},
				},
				Status: corev1.ServiceStatus{Conditions: []metav1.Condition{{Type: "x"}}},
			},
			&corev1.Service{
				ObjectMeta: with(func(m *metav1.ObjectMeta) {
					m.Labels = metadata(nil).Labels
					m.Annotations = map[string]string{"heraldlb.io/interface": "eth1", "kube-vip.io/ignore": "true"}
				}),
				Spec: corev1.ServiceSpec{
					Type: corev1.ServiceTypeLoadBalancer, LoadBalancerClass: &class,
					ExternalTrafficPolicy: corev1.ServiceExternalTrafficPolicyLocal,
				},
				Status: corev1.ServiceStatus{Conditions: []metav1.Condition{{Type: "x"}}},
			},
		},
		"EndpointSlice": {
			stripping(stripEndpointSlice),
			&discoveryv1.EndpointSlice{
				ObjectMeta: metadata(map[string]string{"a": "b"}), AddressType: discoveryv1.AddressTypeIPv4,
				Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.244.0.1"}, NodeName: new("a"), Zone: new("z"), TargetRef: &corev1.ObjectReference{Name: "pod"}}},
				Ports:     []discoveryv1.EndpointPort{{Port: new(int32(80))}},
			},
			&discoveryv1.EndpointSlice{
				ObjectMeta:  with(func(m *metav1.ObjectMeta) { m.Labels = map[string]string{discoveryv1.LabelServiceName: "web"} }),
				AddressType: discoveryv1.AddressTypeIPv4, Endpoints: []discoveryv1.Endpoint{{NodeName: new("a")}},
			},
		},
		"Node": {
			stripping(stripNode),
			&corev1.Node{
				ObjectMeta: metadata(map[string]string{"a": "b", "heraldlb.io/bgp-router-id": "192.0.2.7"}), Spec: corev1.NodeSpec{PodCIDR: "10.244.0.0/24"},
				Status: corev1.NodeStatus{
					Conditions: []corev1.NodeCondition{{Type: corev1.NodeDiskPressure}, ready},
					Addresses:  []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "192.0.2.7"}},
					Images:     []corev1.ContainerImage{{SizeBytes: 1}},
				},
			},
			&corev1.Node{
				ObjectMeta: with(func(m *metav1.ObjectMeta) {
					m.Labels = metadata(nil).Labels
					m.Annotations = map[string]string{"heraldlb.io/bgp-router-id": "192.0.2.7"}
				}),
				Status: corev1.NodeStatus{
					Conditions: []corev1.NodeCondition{ready},
					Addresses:  []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "192.0.2.7"}},
				},
			},
		},
		"Secret": {
			stripping(stripSecret),
			&corev1.Secret{ObjectMeta: metadata(map[string]string{"a": "b"}), Data: map[string][]byte{"r": []byte("secret")}},
			&corev1.Secret{ObjectMeta: kept, Data: map[string][]byte{"r": []byte("secret")}},
		},
		"deleted while the watch was down": {
			stripping(stripNode),
			toolscache.DeletedFinalStateUnknown{Key: "x"},
			toolscache.DeletedFinalStateUnknown{Key: "x"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for range 2 { // it may be called on what it returned
				got, err := test.transform(test.in)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
	if got, err := stripping(stripNode)(&corev1.Pod{}); err == nil {
		t.Errorf("a Pod passed as a Node: %v", got)
	}
}
