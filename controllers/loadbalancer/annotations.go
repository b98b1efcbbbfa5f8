package loadbalancer

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// The annotations of Herald's own on a Service.
const (
	// AnnotationAddresses asks for given addresses: one, or one of each family
	// separated by a comma.
	AnnotationAddresses = "heraldlb.io/load-balancer-ips"
	// AnnotationSharingKey lets Services that carry the same key share an address.
	AnnotationSharingKey = "heraldlb.io/sharing-key"
	// AnnotationInterface names the nodes' interface to announce on.
	AnnotationInterface = "heraldlb.io/interface"
	// AnnotationIgnore, "true", has Herald leave a Service alone, and give back what
	// it gave to it.
	AnnotationIgnore = "heraldlb.io/ignore"
	// AnnotationUPnP, "true", has the home gateway forward the Service's ports.
	AnnotationUPnP = "heraldlb.io/upnp"
	// AnnotationUPnPLease is for how long the gateway keeps a mapping that is not
	// renewed, as in "1h".
	AnnotationUPnPLease = "heraldlb.io/upnp-lease-duration"
	// AnnotationUPnPExternal is written by the agents: where the Service is reached
	// from outside the gateway. See ExternalPoints.
	AnnotationUPnPExternal = "heraldlb.io/upnp-external"
)

// What others' users have written already, read with the same meaning.
const (
	kubeVIPIgnore              = "kube-vip.io/ignore"
	kubeVIPAddresses           = "kube-vip.io/loadbalancerIPs"
	kubeVIPInterface           = "kube-vip.io/serviceInterface"
	kubeVIPUPnP                = "kube-vip.io/forwardUPNP"
	kubeVIPUPnPLease           = "kube-vip.io/upnp-lease-duration"
	metalLBAddresses           = "metallb.io/loadBalancerIPs"
	metalLBAddressesDeprecated = "metallb.universe.tf/loadBalancerIPs"
	metalLBSharing             = "metallb.io/allow-shared-ip"
	metalLBSharingDeprecated   = "metallb.universe.tf/allow-shared-ip"
)

// interfaceAuto is kube-vip's word for the interface that has the address
// on-link, which is what Herald does when none is named.
const interfaceAuto = "auto"

// SharingKey returns the key under which svc shares its address, "" if none.
func SharingKey(svc *corev1.Service) string {
	return first(svc, AnnotationSharingKey, metalLBSharing, metalLBSharingDeprecated)
}

// Interface returns the interface that svc is to be announced on, "" for any.
func Interface(svc *corev1.Service) string {
	name := first(svc, AnnotationInterface, kubeVIPInterface)
	if name == interfaceAuto {
		return ""
	}
	return name
}

// first returns the first annotation that is not blank.
func first(svc *corev1.Service, names ...string) string {
	for _, name := range names {
		if value := strings.TrimSpace(svc.Annotations[name]); value != "" {
			return value
		}
	}
	return ""
}
