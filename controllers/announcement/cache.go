package announcement

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// CacheOptions returns what the agent keeps of the cluster in memory: Services
// of type LoadBalancer, EndpointSlices, Nodes, the ConfigMap of the pools and, once it
// is asked for, the Secret of BGP's passwords, each stripped of what is not read.
func CacheOptions(pools, secret types.NamespacedName) cache.Options {
	return cache.Options{
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Service{}: {
				Field:     fields.OneTermEqualSelector("spec.type", string(corev1.ServiceTypeLoadBalancer)),
				Transform: stripping(stripService),
			},
			&discoveryv1.EndpointSlice{}: {Transform: stripping(stripEndpointSlice)},
			&corev1.Node{}:               {Transform: stripping(stripNode)},
			&corev1.ConfigMap{}: {
				Namespaces: map[string]cache.Config{pools.Namespace: {}},
				Field:      fields.OneTermEqualSelector(metav1.ObjectNameField, pools.Name),
				Transform:  cache.TransformStripManagedFields(),
			},
			&corev1.Secret{}: {
				Namespaces: map[string]cache.Config{secret.Namespace: {}},
				Field:      fields.OneTermEqualSelector(metav1.ObjectNameField, secret.Name),
				Transform:  stripping(stripSecret),
			},
		},
	}
}

// Mapper is a manager's MapperProvider that knows the agent's six kinds by
// heart, so that an agent can start while the API server is away.
func Mapper(*rest.Config, *http.Client) (meta.RESTMapper, error) {
	core, discovery := corev1.SchemeGroupVersion, discoveryv1.SchemeGroupVersion
	mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{core, discovery})
	mapper.Add(core.WithKind("Service"), meta.RESTScopeNamespace)
	mapper.Add(core.WithKind("ConfigMap"), meta.RESTScopeNamespace)
	mapper.Add(core.WithKind("Secret"), meta.RESTScopeNamespace)
	mapper.Add(core.WithKind("Node"), meta.RESTScopeRoot)
	mapper.Add(core.WithKind("Namespace"), meta.RESTScopeRoot)
	mapper.Add(discovery.WithKind("EndpointSlice"), meta.RESTScopeNamespace)
	return mapper, nil
}

// stripping makes a transform of strip, which changes its argument.
func stripping[T client.Object](strip func(T)) toolscache.TransformFunc {
	return func(object any) (any, error) {
		switch o := object.(type) {
		case T:
			o.SetManagedFields(nil)
			strip(o)
			return o, nil
		case toolscache.DeletedFinalStateUnknown:
			return o, nil
		default:
			return nil, fmt.Errorf("unexpected %T in the cache", object)
		}
	}
}

// stripService keeps what is read here and in loadbalancer, the labels, which
// advertisements select by, and the status.
func stripService(svc *corev1.Service) {
	svc.OwnerReferences = nil
	maps.DeleteFunc(svc.Annotations, func(name, _ string) bool {
		return !strings.HasPrefix(name, "heraldlb.io/") && !strings.HasPrefix(name, "kube-vip.io/")
	})
	spec := corev1.ServiceSpec{
		Type:                  svc.Spec.Type,
		LoadBalancerClass:     svc.Spec.LoadBalancerClass,
		ExternalTrafficPolicy: svc.Spec.ExternalTrafficPolicy,
	}
	if loadbalancer.UPnP(svc) {
		spec.Ports = svc.Spec.Ports
	}
	svc.Spec = spec
}

// stripEndpointSlice keeps the Service's name, and of each endpoint its node and
// its conditions.
func stripEndpointSlice(slice *discoveryv1.EndpointSlice) {
	slice.Labels = map[string]string{discoveryv1.LabelServiceName: slice.Labels[discoveryv1.LabelServiceName]}
	slice.Annotations, slice.OwnerReferences, slice.Ports = nil, nil, nil
	for i, e := range slice.Endpoints {
		slice.Endpoints[i] = discoveryv1.Endpoint{NodeName: e.NodeName, Conditions: e.Conditions}
	}
}

// stripNode keeps the labels, the annotations of ours, the addresses and the condition
// Ready.
func stripNode(node *corev1.Node) {
	node.OwnerReferences = nil
	maps.DeleteFunc(node.Annotations, func(name, _ string) bool { return !strings.HasPrefix(name, "heraldlb.io/") })
	if len(node.Annotations) == 0 {
		node.Annotations = nil
	}
	node.Spec = corev1.NodeSpec{}
	node.Status = corev1.NodeStatus{Addresses: node.Status.Addresses, Conditions: slices.DeleteFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type != corev1.NodeReady
	})}
}

// stripSecret keeps the data.
func stripSecret(secret *corev1.Secret) {
	secret.Labels, secret.Annotations, secret.OwnerReferences = nil, nil, nil
}
