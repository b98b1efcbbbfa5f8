package ipam

import (
	"net/netip"
	"slices"
)

// Allocate gives the owner the addresses it asks for and returns them in the
// order of r.Families. What the owner holds and still wants it keeps, in or out
// of its pool: the same request again yields the same addresses. What it no
// longer wants it loses once the rest is obtained, unless it lingers. For a new address, an owner
// with a sharing key or in a pool that shares gets the first one that it may
// share, any other the first free one.
//
// The error is an *Error: the request is refused and nothing has changed. An
// address held with another who may not share it, be it that the ports or the
// pools changed or that it was adopted so, is refused as Taken.
func (a *Allocator) Allocate(r Request) ([]netip.Addr, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()

	t := a.acquire(&r)
	defer a.release(t)
	p, refusal := a.plan(&r, t)
	if refusal.Reason != "" {
		return nil, new(refusal)
	}
	return a.carryOut(&p, &r, t), nil
}

// plan is what an allocation is going to do.
type plan struct {
	first   uint32 // of the owner's present holdings, or 0
	choices [2]choice
	met     int // how many families have a choice
}

// choice is an address for one family and the owner's holding of it, if any.
type choice struct {
	address uint128
	held    uint32
}

// plan decides without changing anything. A refusal without a reason is none;
// they travel by value, since most come to nothing, such as that of a second
// family that is only preferred.
func (a *Allocator) plan(r *Request, t terms) (p plan, refusal Error) {
	p.first = a.holdings.ofOwner(t.namespace, r.Owner.Name)
	for _, family := range r.Families {
		requested, byNumber := r.requested(family)
		c := a.kept(p.first, family, requested, byNumber)
		switch {
		case c.held != 0:
			if why := a.refuse(c.address, t, c.held); why.Reason != "" {
				return p, why
			}
		case byNumber:
			if why := a.claim(requested, t); why.Reason != "" {
				return p, why
			}
			c.address = requested
		default:
			address, why := a.pick(family, t)
			if why.Reason != "" {
				if refusal.Reason == "" {
					refusal = why
				}
				continue
			}
			c.address = address
		}
		p.choices[p.met] = c
		p.met++
	}
	if p.met >= r.required() {
		return p, Error{}
	}
	return p, refusal
}

// kept returns what the owner holds of a family: the address requested by
// number, if one is, else the first.
func (a *Allocator) kept(first uint32, family Family, requested uint128, byNumber bool) choice {
	for i := range a.holdings.siblings(first) {
		h := a.holdings.at(i)
		if byNumber && h.address == requested || !byNumber && h.address.family() == family {
			return choice{h.address, i}
		}
	}
	return choice{}
}

// claim checks whether an address that is requested by number can be had.
func (a *Allocator) claim(address uint128, t terms) Error {
	pool := *a.namespaces.value(t.namespace)
	if pool == nil {
		return Error{Reason: NoPool, Family: address.family()}
	}
	if !pool.stock(address.family()).contains(a.order.rank(address)) {
		return Error{Reason: OutsidePool, Pool: pool.name, Family: address.family(), Address: address.addr()}
	}
	return a.refuse(address, t, 0)
}

// refuse returns who keeps the address from being held on these terms.
func (a *Allocator) refuse(address uint128, t terms, self uint32) Error {
	i := a.blocker(address, t, self)
	if i == 0 {
		return Error{}
	}
	detail, both := a.disagreement(t, a.holdings.at(i).terms)
	if detail == "" {
		detail = "its holders contend for it"
	}
	return Error{
		Reason: Taken, Family: address.family(), Address: address.addr(),
		Holder: a.owner(i), Port: both, Detail: detail,
	}
}

// pick returns the first address of a family that the owner may share, else the
// first free one.
func (a *Allocator) pick(family Family, t terms) (uint128, Error) {
	pool := *a.namespaces.value(t.namespace)
	if pool == nil {
		return uint128{}, Error{Reason: NoPool, Family: family}
	}
	s := pool.stock(family)
	if len(s.ranges) == 0 {
		return uint128{}, Error{Reason: NoPool, Pool: pool.name, Family: family}
	}
	if g := a.groupOf(t); g != nil {
		if rank, found := s.lowestShared(g, a.portSets.key(t.ports)); found {
			return a.order.rank(rank), Error{}
		}
	}
	if rank, found := s.free.lowest(); found {
		return a.order.rank(rank), Error{}
	}
	return uint128{}, Error{Reason: Exhausted, Pool: pool.name, Family: family}
}

// carryOut does what the plan says: the new is obtained before the old is lost.
func (a *Allocator) carryOut(p *plan, r *Request, t terms) []netip.Addr {
	given := make([]netip.Addr, p.met)
	var few [4]uint32
	order := few[:0]
	for n, c := range p.choices[:p.met] {
		if c.held == 0 {
			c.held = a.hold(c.address, r.Owner.Name, t)
		} else {
			a.reterm(c.held, t)
		}
		given[n], order = c.address.addr(), append(order, c.held)
	}
	for i := range a.holdings.siblings(p.first) {
		switch {
		case slices.Contains(order[:p.met], i):
		case r.Linger:
			order = append(order, i)
		default:
			a.drop(i)
		}
	}
	a.holdings.arrange(p.first, order)
	return given
}
