package service

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/controllers/loadbalancer"
	"github.com/heraldlb/herald/ipam"
)

// verdict is what the condition on a Service says.
type verdict struct {
	status  metav1.ConditionStatus
	reason  string
	message string
}

// A judge gives the verdict if what it looks for is the case.
type judge func(claim, answer) (verdict, bool)

// judges returns them in order: the first that gives a verdict is heard. What
// keeps a Service from what it asks for comes before what else is to be said.
func judges() []judge {
	return []judge{refused, outsidePool, allocated}
}

// judgement returns the verdict on a claim and the answer to it.
func judgement(c claim, a answer) verdict {
	for _, judge := range judges() {
		if v, given := judge(c, a); given {
			return v
		}
	}
	return verdict{} // not reached: allocated always gives one
}

func refused(c claim, a answer) (verdict, bool) {
	if a.refusal == nil {
		return verdict{}, false
	}
	message := a.refusal.Error()
	if c.invalid == nil && c.asked.Source != "" {
		message = c.asked.Source + ": " + message
	}
	if tellsOrigin(a) {
		message += "; " + a.origin.note
	}
	if len(a.addresses) > 0 {
		message += fmt.Sprintf("; %s stays", list(a.addresses))
	}
	return verdict{
		status:  metav1.ConditionFalse,
		reason:  refusalReason(a.refusal, a.addresses),
		message: message,
	}, true
}

// tellsOrigin says whether the cause may be found where the pools come from.
func tellsOrigin(a answer) bool {
	return errors.Is(a.refusal, ipam.NoPool) ||
		a.origin.stale && (errors.Is(a.refusal, ipam.Exhausted) || errors.Is(a.refusal, ipam.OutsidePool))
}

// refusalReason returns the condition's reason for a refusal of the book, given
// what the Service holds.
func refusalReason(refusal error, held []netip.Addr) string {
	var refused *ipam.Error
	if !errors.As(refusal, &refused) {
		return loadbalancer.ReasonRequestInvalid
	}
	switch refused.Reason {
	case ipam.NoPool:
		return loadbalancer.ReasonNoPool
	case ipam.Exhausted:
		return loadbalancer.ReasonPoolExhausted
	case ipam.OutsidePool:
		return loadbalancer.ReasonRequestOutsidePool
	case ipam.Taken:
		if slices.Contains(held, refused.Address) {
			return loadbalancer.ReasonAddressConflict
		}
		return loadbalancer.ReasonRequestTaken
	default:
		return loadbalancer.ReasonRequestInvalid
	}
}

func outsidePool(c claim, a answer) (verdict, bool) {
	if len(a.outside) == 0 {
		return verdict{}, false
	}
	return verdict{
		status:  metav1.ConditionTrue,
		reason:  loadbalancer.ReasonAddressLeftPool,
		message: fmt.Sprintf("%s is not in the pool of namespace %s, and stays", list(a.outside), c.key.Namespace),
	}, true
}

func allocated(c claim, a answer) (verdict, bool) {
	facts := []string{list(a.addresses)}
	for _, family := range missing(c.request.Families, a.addresses) {
		facts = append(facts, fmt.Sprintf("no %s address is to be had", family))
	}
	if len(c.asked.Overruled) > 0 {
		facts = append(facts, fmt.Sprintf("%s decides, not %s", c.asked.Source, strings.Join(c.asked.Overruled, ", ")))
	}
	return verdict{
		status:  metav1.ConditionTrue,
		reason:  loadbalancer.ReasonAllocated,
		message: strings.Join(facts, "; "),
	}, true
}

// missing returns the families of which there is no address.
func missing(families []ipam.Family, addresses []netip.Addr) []ipam.Family {
	return slices.DeleteFunc(slices.Clone(families), func(family ipam.Family) bool {
		return slices.ContainsFunc(addresses, func(address netip.Addr) bool {
			return address.Is4() == (family == ipam.IPv4)
		})
	})
}

func list(addresses []netip.Addr) string {
	texts := make([]string, 0, len(addresses))
	for _, address := range addresses {
		texts = append(texts, address.String())
	}
	return strings.Join(texts, ", ")
}
