package service

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

// nodeChanged drops the updates of Nodes that leave their addresses and labels alone.
func nodeChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(update event.UpdateEvent) bool {
		before, ok := update.ObjectOld.(*corev1.Node)
		if !ok {
			return true
		}
		after, ok := update.ObjectNew.(*corev1.Node)
		return !ok || !equality.Semantic.DeepEqual(before.Status.Addresses, after.Status.Addresses) || !maps.Equal(before.Labels, after.Labels)
	}}
}
