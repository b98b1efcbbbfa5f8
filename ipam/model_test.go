package ipam

import (
	"maps"
	"net/netip"
	"slices"
)

// model is an allocator with no cleverness at all: it looks at every holder and
// every address. The real one must agree with it.
type model struct {
	order   Order
	pools   []Pool
	holders map[Owner]*modelHolder
	joined  map[netip.Addr][]Owner // in order of joining
}

type modelHolder struct {
	owner     Owner
	addresses []netip.Addr
	ports     []Port
	sharing   Sharing
}

func newModel() *model {
	return &model{holders: map[Owner]*modelHolder{}, joined: map[netip.Addr][]Owner{}}
}

func (m *model) pool(namespace string) (Pool, bool) {
	for _, name := range []string{namespace, Global} {
		for _, p := range m.pools {
			if p.Name == name {
				return p, true
			}
		}
	}
	return Pool{}, false
}

func (m *model) open(h *modelHolder) bool {
	p, _ := m.pool(h.owner.Namespace)
	return h.sharing.Key != "" || p.Share
}

func (m *model) compatible(g, h *modelHolder) bool {
	return g.sharing == h.sharing && m.open(g) && m.open(h) &&
		!slices.ContainsFunc(g.ports, func(p Port) bool { return slices.Contains(h.ports, p) })
}

// blocker returns the first holder of an address that h may not share it with.
func (m *model) blocker(address netip.Addr, h *modelHolder) (Owner, bool) {
	joined := m.joined[address]
	for _, o := range joined {
		if o != h.owner && !m.compatible(h, m.holders[o]) {
			return o, true
		}
	}
	if !slices.Contains(joined, h.owner) && m.contended(address) {
		return joined[0], true
	}
	return Owner{}, false
}

func (m *model) contended(address netip.Addr) bool {
	for i, o := range m.joined[address] {
		for _, p := range m.joined[address][:i] {
			if !m.compatible(m.holders[o], m.holders[p]) {
				return true
			}
		}
	}
	return false
}

// ranked sorts addresses in the order of allocation.
func (m *model) ranked(list []netip.Addr) []netip.Addr {
	slices.SortFunc(list, netip.Addr.Compare)
	if m.order == Descending {
		slices.Reverse(list)
	}
	return list
}

// pick chooses an address of a family that was not asked for by number.
func (m *model) pick(p Pool, f Family, h *modelHolder) (netip.Addr, Reason) {
	for _, address := range m.ranked(slices.Collect(maps.Keys(m.joined))) {
		if familyOf(address) == f && p.Addresses.Contains(address) {
			if _, blocked := m.blocker(address, h); !blocked {
				return address, ""
			}
		}
	}
	reason := NoPool
	ranges := p.Addresses.Ranges()
	if m.order == Descending {
		slices.Reverse(ranges)
	}
	for _, r := range ranges {
		if familyOf(r.From()) != f {
			continue
		}
		reason = Exhausted
		from, step := r.From(), netip.Addr.Next
		if m.order == Descending {
			from, step = r.To(), netip.Addr.Prev
		}
		for address := from; r.Contains(address); address = step(address) {
			if len(m.joined[address]) == 0 {
				return address, ""
			}
		}
	}
	return netip.Addr{}, reason
}

// choose decides on one family; fatal says that no other family can make up for
// the refusal.
func (m *model) choose(r Request, f Family, now *modelHolder) (address netip.Addr, reason Reason, by Owner, fatal bool) {
	h := &modelHolder{r.Owner, nil, r.Ports, r.Sharing}
	asked := slices.IndexFunc(r.Addresses, func(a netip.Addr) bool { return familyOf(a) == f })
	if now != nil {
		for _, held := range now.addresses {
			if asked >= 0 && held == r.Addresses[asked] || asked < 0 && familyOf(held) == f {
				if by, blocked := m.blocker(held, h); blocked {
					return held, Taken, by, true
				}
				return held, "", Owner{}, false
			}
		}
	}
	p, found := m.pool(r.Owner.Namespace)
	switch {
	case !found:
		return netip.Addr{}, NoPool, Owner{}, asked >= 0
	case asked < 0:
		address, reason = m.pick(p, f, h)
		return address, reason, Owner{}, false
	case !p.Addresses.Contains(r.Addresses[asked]):
		return netip.Addr{}, OutsidePool, Owner{}, true
	}
	if by, blocked := m.blocker(r.Addresses[asked], h); blocked {
		return netip.Addr{}, Taken, by, true
	}
	return r.Addresses[asked], "", Owner{}, false
}

func (m *model) allocate(r Request) (chosen []netip.Addr, refusal Reason, by Owner) {
	now := m.holders[r.Owner]
	for _, f := range r.Families {
		address, reason, by, fatal := m.choose(r, f, now)
		switch {
		case fatal:
			return nil, reason, by
		case reason == "":
			chosen = append(chosen, address)
		case refusal == "":
			refusal = reason
		}
	}
	if need := r.Required; need == 0 && refusal != "" || len(chosen) < need {
		return nil, refusal, Owner{}
	}
	m.set(r, chosen)
	return chosen, "", Owner{}
}

// set makes the owner the holder of exactly these addresses.
func (m *model) set(r Request, chosen []netip.Addr) {
	var before []netip.Addr
	if now := m.holders[r.Owner]; now != nil {
		before = now.addresses
	}
	for _, address := range chosen {
		if !slices.Contains(before, address) {
			m.joined[address] = append(m.joined[address], r.Owner)
		}
	}
	for _, address := range before {
		if !slices.Contains(chosen, address) {
			m.part(address, r.Owner)
		}
	}
	m.holders[r.Owner] = &modelHolder{r.Owner, chosen, r.Ports, r.Sharing}
}

func (m *model) part(address netip.Addr, owner Owner) {
	m.joined[address] = slices.DeleteFunc(m.joined[address], func(o Owner) bool { return o == owner })
	if len(m.joined[address]) == 0 {
		delete(m.joined, address)
	}
}

func (m *model) adopt(r Request) (conflicts []Conflict) {
	var all []netip.Addr
	if now := m.holders[r.Owner]; now != nil {
		all = slices.Clone(now.addresses)
	}
	for _, address := range r.Addresses {
		if !slices.Contains(all, address) {
			all = append(all, address)
		}
	}
	if len(all) == 0 {
		return nil
	}
	m.set(r, all)
	h := m.holders[r.Owner]
	for _, address := range all {
		for _, o := range m.joined[address] {
			if o != r.Owner && !m.compatible(h, m.holders[o]) {
				conflicts = append(conflicts, Conflict{Address: address, Holder: o})
			}
		}
	}
	return conflicts
}

func (m *model) release(owner Owner) []netip.Addr {
	h := m.holders[owner]
	if h == nil {
		return nil
	}
	for _, address := range h.addresses {
		m.part(address, owner)
	}
	delete(m.holders, owner)
	return h.addresses
}

// used counts the held addresses of a pool.
func (m *model) used(p Pool, f Family) (used int) {
	for address := range m.joined {
		if familyOf(address) == f && p.Addresses.Contains(address) {
			used++
		}
	}
	return used
}
