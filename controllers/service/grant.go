package service

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/heraldlb/herald/ipam"
)

// The book's inner workings. All of them are called with its lock held.

// enter makes c the claim of its entry. If the entry is that of an earlier
// Service of the same name, or of when it was not ours, that one leaves first, to
// the good of those who wait.
func (b *book) enter(c claim) (e *entry, woken []types.NamespacedName) {
	e = b.entries[c.key]
	if e != nil && (e.uid != c.uid || e.reserved) {
		b.strike(c.key)
		woken = b.serve()
		e = nil
	}
	if e == nil {
		e = &entry{claim: c}
		b.entries[c.key] = e
		b.recall(c)
		return e, woken
	}
	c.version = e.version
	e.claim = c
	return e, woken
}

// recall lets a Service have again what its status says, unless that is
// another's by now.
func (b *book) recall(c claim) {
	if len(c.held) == 0 {
		return
	}
	again := c.request
	again.Addresses = c.held
	if _, err := b.allocator.Allocate(again); err == nil {
		return
	}
	b.adopt(c, slices.DeleteFunc(slices.Clone(c.held), func(address netip.Addr) bool {
		return len(b.allocator.Holders(address)) > 0
	}))
}

// adopt records that a Service holds addresses beside those it holds already,
// and returns who else does that should not.
func (b *book) adopt(c claim, addresses []netip.Addr) []ipam.Conflict {
	learned := c.request
	learned.Addresses = addresses
	return b.allocator.Adopt(learned)
}

// grant tries to meet the claim of e, and keeps e in the line until it is met in
// full. It says whether e has news, and who else has because of it.
func (b *book) grant(e *entry) (news bool, disturbed []types.NamespacedName) {
	before, told := b.granted(e), e.refusal
	e.refusal = e.invalid
	if e.refusal == nil {
		e.refusal = b.allocate(e)
	}
	if e.refusal != nil && len(before) > 0 {
		// It keeps what it holds, with the ports and the key that it has now.
		disturbed = b.contenders(b.adopt(e.claim, nil))
	}
	after := b.granted(e)
	e.demand = b.demandOf(e, after)
	if e.invalid == nil && (e.refusal != nil || len(after) < len(e.request.Families)) {
		b.waiting.add(e)
	} else {
		b.waiting.remove(e)
	}
	b.metrics.granted(before, after)
	b.metrics.refused(told, e.refusal, after)
	return !slices.Equal(before, after) || !sameRefusal(told, e.refusal), disturbed
}

// allocate asks for what e claims. What it has beyond that is leaving.
func (b *book) allocate(e *entry) error {
	request := e.request
	request.Linger = true
	given, err := b.allocator.Allocate(request)
	if err == nil {
		e.leaving = without(b.holding(e.key), given)
	}
	return err
}

// granted returns what e is to have.
func (b *book) granted(e *entry) []netip.Addr { return without(b.holding(e.key), e.leaving) }

func without(addresses, others []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(addresses, func(a netip.Addr) bool { return slices.Contains(others, a) })
}

// demandOf returns the demand of e, which has the addresses. One who lacks a
// family asks for that alone.
func (b *book) demandOf(e *entry, has []netip.Addr) string {
	r := e.request
	switch {
	case len(has) == 0:
		return b.demand(r)
	case e.refusal != nil || len(r.Addresses) > 0 || len(has) == len(r.Families):
		return ""
	}
	r.Families, r.Required = missing(r.Families, has), 0
	return "more " + b.demand(r)
}

// demand returns what decides whether a request of one who holds nothing is met.
func (b *book) demand(r ipam.Request) string {
	pool := r.Owner.Namespace
	if _, own := b.shares[pool]; !own {
		pool = ipam.Global
	}
	if r.Sharing.Key == "" && !b.shares[pool] {
		// Its ports do not matter, since it shares with nobody.
		return fmt.Sprintf("%s %v %d %v", pool, r.Families, r.Required, r.Addresses)
	}
	return fmt.Sprintf("%s %v %d %v %v %q", pool, r.Families, r.Required, r.Addresses, r.Ports, r.Sharing)
}

// contenders returns those of the other holders who do not know yet that they
// share an address with one they may not share it with.
func (b *book) contenders(conflicts []ipam.Conflict) []types.NamespacedName {
	var unaware []types.NamespacedName
	for _, conflict := range conflicts {
		key := types.NamespacedName(conflict.Holder)
		if e := b.entries[key]; e != nil && e.refusal == nil {
			unaware = append(unaware, key)
		}
	}
	return unaware
}

// serve goes along the line, the oldest first, as long as there is something
// that became free. It returns those who have news. Where one is refused, those
// behind who ask for the same are too.
func (b *book) serve() []types.NamespacedName {
	var woken []types.NamespacedName
	for b.served != b.allocator.Freed() {
		b.served = b.allocator.Freed()
		refused := make(map[string]error)
		for e := range b.waiting.all() {
			if refusal, tried := refused[e.demand]; tried {
				if !sameRefusal(refusal, e.refusal) {
					e.refusal = refusal
					woken = append(woken, e.key)
				}
				continue
			}
			news, disturbed := b.grant(e)
			if news {
				woken = append(woken, e.key)
			}
			woken = append(woken, disturbed...)
			if e.demand != "" && (e.refusal != nil || !news) {
				refused[e.demand] = e.refusal
			}
		}
	}
	return woken
}

func (b *book) strike(key types.NamespacedName) {
	b.allocator.Release(ipam.Owner(key))
	if e := b.entries[key]; e != nil {
		b.waiting.remove(e)
		delete(b.entries, key)
	}
}

func (b *book) answer(e *entry) answer {
	a := answer{addresses: b.granted(e), refusal: e.refusal, origin: b.origin, poolless: b.shares == nil}
	if a.poolless {
		return a
	}
	for _, address := range a.addresses {
		if !b.allocator.InPool(e.key.Namespace, address) {
			a.outside = append(a.outside, address)
		}
	}
	return a
}

// sameRefusal says whether two refusals, nil for none, tell the same.
func sameRefusal(a, b error) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	one, ok := errors.AsType[*ipam.Error](a)
	other, okToo := errors.AsType[*ipam.Error](b)
	if ok && okToo {
		return *one == *other
	}
	return a.Error() == b.Error()
}
