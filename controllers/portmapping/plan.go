package portmapping

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/upnp"
	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// orphaned is how long nobody has answered for an address when its mapping is removed:
// who takes it over would have to map it again.
const orphaned = 10 * time.Second

// role is who answers for an address.
type role int

const (
	// unknown: the announcer has not said.
	unknown role = iota
	// mine: this node does.
	mine
	// others: another node does.
	others
	// nobodys: no node does, as far as is known.
	nobodys
)

// roleOf reads the announcer's word on an address.
func roleOf(self string, status announcer.Status, known bool) role {
	switch {
	case !known:
		return unknown
	case status.State == announcer.Announced:
		return mine
	case status.Owner != "" && status.Owner != self:
		return others
	default:
		return nobodys
	}
}

// port is one of the gateway's external address.
type port struct {
	protocol upnp.Protocol
	number   uint16
}

// request is one rule that a Service asks for.
type request struct {
	upnp.Rule
	service types.NamespacedName
	lease   time.Duration
	role    role
	// problem says why the gateway is not asked, "" if it is; clash that another Service
	// has the external port.
	problem string
	clash   bool
}

// requests returns what the Services ask for. Of those that ask for the same external
// port, the one that has it is first, then the oldest.
func requests(services []corev1.Service, roleOf func(netip.Addr) role) []request {
	asking := slices.DeleteFunc(slices.Clone(services), func(svc corev1.Service) bool { return !asks(&svc) })
	var all []request
	for i := range asking {
		all = append(all, requestsOf(&asking[i], roleOf)...)
	}
	winners := make(map[port]*corev1.Service)
	for i := range asking {
		svc := &asking[i]
		for _, p := range svc.Spec.Ports {
			at := port{upnp.Protocol(p.Protocol), uint16(p.Port)}
			if before := winners[at]; hasFamily(svc, corev1.IPv4Protocol) && (before == nil || precedes(svc, before, at)) {
				winners[at] = svc
			}
		}
	}
	for i := range all {
		r := &all[i]
		winner := winners[port{r.Protocol, r.Port}]
		if name := nameOf(winner); r.problem == "" && r.Client.Is4() && name != r.service {
			r.clash = true
			r.problem = fmt.Sprintf("the Service %s has the external port %d/%s of the gateway", name, r.Port, r.Protocol)
		}
	}
	return all
}

// asks tells whether the gateway is to be asked for svc.
func asks(svc *corev1.Service) bool {
	return loadbalancer.UPnP(svc) && svc.DeletionTimestamp == nil
}

func requestsOf(svc *corev1.Service, roleOf func(netip.Addr) role) []request {
	lease, _ := loadbalancer.UPnPLease(svc) // the default beside an error, which is reported
	var all []request
	seen := make(map[corev1.IPFamily]bool)
	for _, addr := range loadbalancer.Addresses(svc) {
		family := loadbalancer.Family(addr)
		if seen[family] {
			continue
		}
		seen[family] = true
		if unreachable(addr) && hasFamily(svc, corev1.IPv4Protocol) {
			continue
		}
		for _, p := range svc.Spec.Ports {
			r := request{
				Rule:    upnp.Rule{Client: addr, Protocol: upnp.Protocol(p.Protocol), Port: uint16(p.Port)},
				service: nameOf(svc), lease: lease, role: roleOf(addr),
			}
			switch {
			case p.Protocol != corev1.ProtocolTCP && p.Protocol != corev1.ProtocolUDP:
				r.problem = fmt.Sprintf("port %d: gateways forward TCP and UDP, not %s", p.Port, p.Protocol)
			case unreachable(addr):
				r.problem = fmt.Sprintf("%s is reached from nowhere outside, pinhole or not: it is not a global address", addr)
			}
			all = append(all, r)
		}
	}
	return all
}

// unreachable tells whether addr is an IPv6 address that leads nowhere from outside.
func unreachable(addr netip.Addr) bool {
	return addr.Is6() && (!addr.IsGlobalUnicast() || addr.IsPrivate())
}

func hasFamily(svc *corev1.Service, family corev1.IPFamily) bool {
	return slices.ContainsFunc(loadbalancer.Addresses(svc), func(addr netip.Addr) bool { return loadbalancer.Family(addr) == family })
}

// precedes tells whether svc comes before another in the line for an external port.
func precedes(svc, other *corev1.Service, at port) bool {
	if has, had := reachedAt(svc, at), reachedAt(other, at); has != had {
		return has
	}
	return cmp.Or(
		svc.CreationTimestamp.Compare(other.CreationTimestamp.Time),
		cmp.Compare(svc.Namespace, other.Namespace), cmp.Compare(svc.Name, other.Name),
	) < 0
}

// reachedAt tells whether svc is known to have an external port of the gateway.
func reachedAt(svc *corev1.Service, at port) bool {
	return slices.ContainsFunc(loadbalancer.ExternalPoints(svc), func(p loadbalancer.ExternalPoint) bool {
		return p.Addr().Is4() && p.Port() == at.number && upnp.Protocol(p.Protocol) == at.protocol
	})
}

func nameOf(svc *corev1.Service) types.NamespacedName {
	if svc == nil {
		return types.NamespacedName{}
	}
	return types.NamespacedName{Namespace: svc.Namespace, Name: svc.Name}
}

// holdings are the rules that this node has the gateway keep, by when it was last known
// who answers for the address.
type holdings map[upnp.Rule]time.Time

// plan is what the mapper is to be told.
type plan struct {
	wants []upnp.Want
	leave []upnp.Rule
	// again is when there may be another plan though nothing happens; zero: never.
	again time.Time
}

// update decides on the requests, and notes what is held then.
func (h holdings) update(requests []request, now time.Time) plan {
	var p plan
	held := make(holdings)
	for _, r := range requests {
		since, had := h[r.Rule]
		switch {
		case r.problem != "":
		case r.role == mine, r.role == unknown && had:
			held[r.Rule] = now
		case r.role == others:
			p.leave = append(p.leave, r.Rule)
		case r.role == nobodys && had && now.Sub(since) < orphaned:
			held[r.Rule] = since
			if again := since.Add(orphaned); p.again.IsZero() || again.Before(p.again) {
				p.again = again
			}
		default:
		}
		if _, holds := held[r.Rule]; holds {
			p.wants = append(p.wants, upnp.Want{Rule: r.Rule, For: r.service.String(), Lease: r.lease})
		}
	}
	clear(h)
	maps.Copy(h, held)
	return p
}

// farewell returns, of the rules held, those to leave in force when the agent ends; the
// others are to be removed. succeeded tells of an address that somebody answers for it,
// or is about to.
func (h holdings) farewell(succeeded func(netip.Addr) bool) (leave []upnp.Rule) {
	for rule := range h {
		if succeeded(rule.Client) {
			leave = append(leave, rule)
		}
	}
	return leave
}
