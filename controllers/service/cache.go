package service

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// CacheOptions returns what the controller keeps of the cluster in memory: all
// Services (one that is no longer of type LoadBalancer may still have an
// address to give back), the Nodes' addresses and labels, and of all ConfigMaps the pools'.
func CacheOptions(pools types.NamespacedName) cache.Options {
	return cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Service{}: {Transform: stripService},
			&corev1.Node{}:    {Transform: stripNode},
			&corev1.ConfigMap{}: {
				Namespaces: map[string]cache.Config{pools.Namespace: {}},
				Field:      fields.OneTermEqualSelector(metav1.ObjectNameField, pools.Name),
			},
		},
	}
}

// stripService drops what is large and never read.
func stripService(object any) (any, error) {
	svc, ok := object.(*corev1.Service)
	if !ok {
		return dropped(object)
	}
	svc.ManagedFields = nil
	delete(svc.Annotations, corev1.LastAppliedConfigAnnotation)
	return svc, nil
}

// stripNode keeps a Node's name, labels and addresses.
func stripNode(object any) (any, error) {
	node, ok := object.(*corev1.Node)
	if !ok {
		return dropped(object)
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name:            node.Name,
			UID:             node.UID,
			ResourceVersion: node.ResourceVersion,
			Labels:          node.Labels,
		},
		Status: corev1.NodeStatus{Addresses: node.Status.Addresses},
	}, nil
}

// dropped passes on the mark of an object that was deleted while the watch was
// down (client-go hands it to transforms too).
func dropped(object any) (any, error) {
	if _, ok := object.(toolscache.DeletedFinalStateUnknown); ok {
		return object, nil
	}
	return nil, fmt.Errorf("unexpected %T in the cache", object)
}
