package portmapping

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/announcer/upnp"
	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// The reasons of events on Services about the home router.
const (
	// eventMapped: the Service is reached from outside, or elsewhere than before (Normal).
	eventMapped = "UPnPMapped"
	// eventConflict: the gateway passes a port on to somebody else (Warning).
	eventConflict = "UPnPConflict"
	// eventRefused: the gateway does not forward a port (Warning).
	eventRefused = "UPnPRefused"
	// eventNoGateway: there is no gateway, or it does not answer (Warning).
	eventNoGateway = "UPnPNoGateway"
	// eventInvalid: an annotation is not understood (Warning).
	eventInvalid = "UPnPInvalid"
)

// outcome is what a node has to tell of a Service.
type outcome struct {
	// external is what AnnotationUPnPExternal is to be.
	external string
	// reason and problem are of a Warning, "" if all is well; pending says that this
	// is too early to tell.
	reason, problem string
	pending         bool
}

// judge returns what there is to tell of svc by its requests, and by what came of the
// rules. It is false if that is for other nodes.
func judge(svc *corev1.Service, requests []request, statuses map[upnp.Rule]upnp.Status) (outcome, bool) {
	var o outcome
	own := make(map[corev1.IPFamily]bool)
	var points []loadbalancer.ExternalPoint
	for _, r := range requests {
		if r.role != mine {
			continue
		}
		own[loadbalancer.Family(r.Client)] = true
		status, asked := statuses[r.Rule]
		switch {
		case r.clash:
			o.complain(eventConflict, r.problem)
		case r.problem != "":
			o.complain(eventRefused, r.problem)
		case !asked, status.State == upnp.Pending:
			o.pending = true
			points = append(points, said(svc, r.Rule)...)
		case status.State == upnp.Mapped && status.External.IsValid():
			points = append(points, loadbalancer.ExternalPoint{AddrPort: status.External, Protocol: corev1.Protocol(r.Protocol)})
		case status.State == upnp.Mapped:
			o.complain(eventNoGateway, "the gateway has no external address: it is not connected")
		case status.State == upnp.Conflict:
			o.complain(eventConflict, status.Problem)
		case status.State == upnp.Refused:
			o.complain(eventRefused, status.Problem)
		case status.State == upnp.NoGateway:
			o.complain(eventNoGateway, status.Problem)
			if !status.Lapsed {
				points = append(points, said(svc, r.Rule)...)
			}
		}
	}
	if _, err := loadbalancer.UPnPLease(svc); err != nil && len(own) > 0 {
		o.complain(eventInvalid, err.Error())
	}
	o.external = loadbalancer.FormatExternalPoints(append(points, foreign(svc, own)...))
	return o, len(own) > 0
}

// judgeUnwanted is judge for a Service that does not ask for it any more.
func judgeUnwanted(svc *corev1.Service, roleOf func(netip.Addr) role) (outcome, bool) {
	own := make(map[corev1.IPFamily]bool)
	for _, addr := range loadbalancer.Addresses(svc) {
		if roleOf(addr) == mine {
			own[loadbalancer.Family(addr)] = true
		}
	}
	return outcome{external: loadbalancer.FormatExternalPoints(foreign(svc, own))}, len(own) > 0
}

// complain takes in a problem. The first is the one to be told.
func (o *outcome) complain(reason, problem string) {
	if o.reason == "" {
		o.reason, o.problem = reason, problem
	}
}

// said returns what svc says of a rule already.
func said(svc *corev1.Service, rule upnp.Rule) []loadbalancer.ExternalPoint {
	return slices.DeleteFunc(loadbalancer.ExternalPoints(svc), func(p loadbalancer.ExternalPoint) bool {
		return loadbalancer.Family(p.Addr()) != loadbalancer.Family(rule.Client) || p.Port() != rule.Port || upnp.Protocol(p.Protocol) != rule.Protocol
	})
}

// foreign returns what svc says of families that other nodes answer for.
func foreign(svc *corev1.Service, own map[corev1.IPFamily]bool) []loadbalancer.ExternalPoint {
	return slices.DeleteFunc(loadbalancer.ExternalPoints(svc), func(p loadbalancer.ExternalPoint) bool {
		family := loadbalancer.Family(p.Addr())
		return own[family] || !hasFamily(svc, family)
	})
}

// mapped is the note of an event that a Service is reached from outside.
func mapped(external string) string {
	note := "reached from outside the gateway at " + strings.ReplaceAll(external, ",", ", ")
	for item := range strings.SplitSeq(external, ",") {
		at, _, _ := strings.Cut(item, "/")
		point, err := netip.ParseAddrPort(at)
		if err == nil && notPublic(point.Addr()) {
			return note + fmt.Sprintf("; %s is not a public address: something before the gateway translates addresses too", point.Addr())
		}
	}
	return note
}

// notPublic tells whether an IPv4 address is a private one, or a carrier's (RFC 6598).
func notPublic(addr netip.Addr) bool {
	carrier := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10)
	return addr.Is4() && (addr.IsPrivate() || addr.IsLinkLocalUnicast() || carrier.Contains(addr))
}
