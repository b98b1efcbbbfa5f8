package loadbalancer

import (
	"fmt"
	"strings"
	"time"

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

// The names of each, first by precedence.
func addressNames() []string {
	return []string{AnnotationAddresses, kubeVIPAddresses, metalLBAddresses, metalLBAddressesDeprecated}
}

func sharingNames() []string {
	return []string{AnnotationSharingKey, metalLBSharing, metalLBSharingDeprecated}
}
func interfaceNames() []string { return []string{AnnotationInterface, kubeVIPInterface} }
func ignoreNames() []string    { return []string{AnnotationIgnore, kubeVIPIgnore} }
func upnpNames() []string      { return []string{AnnotationUPnP, kubeVIPUPnP} }
func upnpLeaseNames() []string { return []string{AnnotationUPnPLease, kubeVIPUPnPLease} }

// Annotation is an annotation of a Service, as the reference tells of it.
type Annotation struct {
	// Names are Herald's own, and those of others that mean the same.
	Names []string
	// Value is what it may be, Default what is so without it, "" for nothing.
	Value, Default string
	Example        string
	Text           string
}

// Annotations returns all that Herald reads or writes.
func Annotations() []Annotation {
	return []Annotation{
		{
			Names: addressNames(), Value: "an IP address, or one of each family, separated by a comma", Default: "`spec.loadBalancerIP`, else any address of the pool",
			Example: "192.168.0.210,fd00:10::210",
			Text:    "asks for these addresses. One that cannot be had is a condition and an event, never another address",
		},
		{
			Names: sharingNames(), Value: "any word", Example: "web",
			Text: "Services with the same word share an address, if their ports differ and, under `externalTrafficPolicy: Local`, their selectors are equal",
		},
		{
			Names: interfaceNames(), Value: "one interface, as the nodes call it; `" + interfaceAuto + "` is as without it", Default: "as the pool says", Example: "eth1",
			Text: "where the address is announced on layer 2",
		},
		{
			Names: ignoreNames(), Value: "`true`", Example: "true",
			Text: "Herald leaves the Service alone, and takes back what it gave",
		},
		{
			Names: upnpNames(), Value: "`true`", Example: "true",
			Text: "the node's home router forwards the Service's ports ([upnp.md](upnp.md))",
		},
		{
			Names: upnpLeaseNames(), Value: fmt.Sprintf("duration, %s to %s", shortly(MinUPnPLease), shortly(MaxUPnPLease)), Default: shortly(DefaultUPnPLease), Example: "2h",
			Text: "for how long the router keeps that unless it is renewed",
		},
		{
			Names: []string{AnnotationUPnPExternal}, Value: "`ADDRESS:PORT/PROTOCOL`, separated by commas", Example: "198.51.100.7:80/TCP",
			Text: "written by Herald: where the Service is reached from outside",
		},
	}
}

// shortly writes a duration without the zeros at its end.
func shortly(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// interfaceAuto is kube-vip's word for none in particular: the pool's, else those that
// have the address on-link, as where none is named.
const interfaceAuto = "auto"

// SharingKey returns the key under which svc shares its address, "" if none.
func SharingKey(svc *corev1.Service) string {
	return first(svc, sharingNames()...)
}

// Interface returns the interface that svc is to be announced on, "" for any.
func Interface(svc *corev1.Service) string {
	name := first(svc, interfaceNames()...)
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
