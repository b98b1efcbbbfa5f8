// Package loadbalancer holds what Herald's reconcilers agree on about a Service
// of type LoadBalancer: whose it is, what it asks for, what its status says.
// Everything in it is a pure function of the Service.
package loadbalancer

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// DefaultClass is the spec.loadBalancerClass that Herald serves unless told otherwise.
const DefaultClass = "heraldlb.io/herald"

// Class says which Services of type LoadBalancer are Herald's.
type Class struct {
	// Names are the values of spec.loadBalancerClass that are ours.
	Names []string
	// Default makes Services without a class ours too.
	Default bool
}

// Matches says whether svc is one that Herald serves: of type LoadBalancer, of
// our class, and not to be ignored.
func (c Class) Matches(svc *corev1.Service) bool {
	return svc.Spec.Type == corev1.ServiceTypeLoadBalancer && c.has(svc.Spec.LoadBalancerClass) && !Ignored(svc)
}

// Foreign says whether svc is another implementation's: of type LoadBalancer
// and not of our class. Nothing of such a Service is touched but what Herald
// wrote to it when it was ours.
func (c Class) Foreign(svc *corev1.Service) bool {
	return svc.Spec.Type == corev1.ServiceTypeLoadBalancer && !c.has(svc.Spec.LoadBalancerClass)
}

func (c Class) has(class *string) bool {
	if class == nil {
		return c.Default
	}
	return slices.Contains(c.Names, *class)
}

// Ignored says whether the Service's owner asks for it to be left alone.
func Ignored(svc *corev1.Service) bool {
	return slices.ContainsFunc(ignoreNames(), func(name string) bool {
		return strings.TrimSpace(svc.Annotations[name]) == "true"
	})
}
