package loadbalancer

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// The lease of a mapping at a gateway. More than MaxUPnPLease says no gateway knows.
const (
	DefaultUPnPLease = time.Hour
	MinUPnPLease     = 2 * time.Minute
	MaxUPnPLease     = 7 * 24 * time.Hour
)

// UPnP says whether the home gateway is to forward the ports of svc.
func UPnP(svc *corev1.Service) bool {
	return first(svc, upnpNames()...) == "true"
}

// UPnPLease returns for how long the gateway is to keep a mapping that is not renewed.
// Beside an error, a *RequestError, it is the default.
func UPnPLease(svc *corev1.Service) (time.Duration, error) {
	for _, name := range upnpLeaseNames() {
		value := strings.TrimSpace(svc.Annotations[name])
		if value == "" {
			continue
		}
		lease, err := time.ParseDuration(value)
		if err != nil || lease < MinUPnPLease || lease > MaxUPnPLease {
			return DefaultUPnPLease, &RequestError{name, value, fmt.Sprintf("is not a duration of %s to %s, so it is %s", MinUPnPLease, MaxUPnPLease, DefaultUPnPLease)}
		}
		return lease, nil
	}
	return DefaultUPnPLease, nil
}

// ExternalPoint is where a port of a Service is reached from outside the gateway.
type ExternalPoint struct {
	netip.AddrPort
	Protocol corev1.Protocol
}

// String returns it as in 198.51.100.7:80/TCP.
func (p ExternalPoint) String() string { return p.AddrPort.String() + "/" + string(p.Protocol) }

// ExternalPoints returns what AnnotationUPnPExternal of svc says. What is none is left
// out.
func ExternalPoints(svc *corev1.Service) []ExternalPoint {
	var points []ExternalPoint
	for item := range strings.SplitSeq(svc.Annotations[AnnotationUPnPExternal], ",") {
		at, protocol, _ := strings.Cut(strings.TrimSpace(item), "/")
		if addrPort, err := netip.ParseAddrPort(at); err == nil && protocol != "" {
			points = append(points, ExternalPoint{addrPort, corev1.Protocol(protocol)})
		}
	}
	return points
}

// FormatExternalPoints returns the value of AnnotationUPnPExternal that says so: in
// order, each once.
func FormatExternalPoints(points []ExternalPoint) string {
	points = slices.Clone(points)
	slices.SortFunc(points, func(a, b ExternalPoint) int {
		return cmp.Or(a.Compare(b.AddrPort), cmp.Compare(a.Protocol, b.Protocol))
	})
	var texts []string
	for _, p := range slices.Compact(points) {
		texts = append(texts, p.String())
	}
	return strings.Join(texts, ",")
}
