package service

import (
	"maps"
	"net/netip"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/heraldlb/herald/ipam"
)

// book is the one record of who holds which address and who waits for one. What
// it grants is reserved at once, in memory, under one lock; the reconciler then
// writes it. When addresses become free, those that wait are served first, the
// oldest before the others, and woken to have it written.
type book struct {
	mu        sync.Mutex
	allocator *ipam.Allocator
	entries   map[types.NamespacedName]*entry
	waiting   line
	served    uint64          // what Freed said when the line was served
	shares    map[string]bool // whether a pool shares its addresses, by the pool's name; nil before the first pools
	origin    poolsOrigin
	metrics   *metrics
	// wake asks for Services to be reconciled. It is called without the lock.
	wake func([]types.NamespacedName)
}

// entry is one Service in the book.
type entry struct {
	claim
	refusal error // why the claim is not met, nil if it is
	// leaving is what the Service is to have no more. Its status may still name it,
	// so it stays reserved until one without it is stored.
	leaving []netip.Addr
	// reserved: the Service is not ours, and has what its status names.
	reserved bool
	attempts attempts
	// demand is equal for those who lack the same; "" is equal to no other.
	demand string
}

// answer is what the book says to a claim.
type answer struct {
	// addresses are what the Service holds, first family first.
	addresses []netip.Addr
	// refusal is why the claim is not met: the claim's own fault, or an
	// *ipam.Error. What was held stays.
	refusal error
	// outside are the addresses that are not in the namespace's pool (any more).
	outside []netip.Addr
	// poolless says that no pools were ever read.
	poolless bool
	origin   poolsOrigin
}

// poolsOrigin says where the pools come from.
type poolsOrigin struct {
	note string
	// stale: what the pools come from is invalid or gone, as the note says.
	stale bool
}

func newBook(metrics *metrics, wake func([]types.NamespacedName)) *book {
	return &book{
		allocator: ipam.New(ipam.Ascending),
		entries:   make(map[types.NamespacedName]*entry),
		waiting:   newLine(),
		metrics:   metrics,
		wake:      wake,
	}
}

// ask gives a Service what it claims, or puts it in the line. Asked again, the
// book answers the same. A Service unknown so far keeps the addresses in its
// status if it may.
func (b *book) ask(c claim) answer {
	b.mu.Lock()
	e, woken := b.enter(c)
	_, disturbed := b.grant(e)
	a := b.answer(e)
	woken = slices.Concat(woken, disturbed, b.serve())
	b.mu.Unlock()

	b.wake(woken)
	return a
}

// leave strikes a Service out, and serves those who wait for what it held.
func (b *book) leave(key types.NamespacedName) {
	b.mu.Lock()
	b.strike(key)
	woken := b.serve()
	b.mu.Unlock()

	b.wake(woken)
}

// reserve keeps from everybody else what the status of a Service names that is
// not ours.
func (b *book) reserve(c claim) {
	b.mu.Lock()
	e := b.entries[c.key]
	if e != nil && (e.uid != c.uid || !e.reserved) {
		b.strike(c.key)
		e = nil
	}
	if e == nil {
		e = &entry{reserved: true}
		b.entries[c.key] = e
	}
	e.claim = c
	b.adopt(c, c.held)
	b.allocator.Shed(c.request.Owner, c.held)
	woken := b.serve()
	b.mu.Unlock()

	b.wake(woken)
}

// learn enters, as it is, what the statuses of all Services say, and only then
// grants what is still claimed: the oldest claim first. Leaving are those whose
// addresses are to be taken back, reserving those that are not ours.
func (b *book) learn(claims, leaving, reserving []claim) {
	b.mu.Lock()
	for _, c := range slices.SortedFunc(slices.Values(slices.Concat(claims, leaving, reserving)), byAge) {
		b.entries[c.key] = &entry{claim: c}
		b.adopt(c, c.held)
	}
	for _, c := range reserving {
		b.entries[c.key].reserved = true
	}
	for _, c := range slices.SortedFunc(slices.Values(claims), byAge) {
		b.grant(b.entries[c.key])
	}
	b.serve()
	woken := slices.Collect(maps.Keys(b.entries))
	b.mu.Unlock()

	b.wake(woken) // also those who are gone already, of whom no event will tell
}

// setPools changes the pools and serves those who wait. Nobody loses an address.
func (b *book) setPools(order ipam.Order, pools []ipam.Pool, origin poolsOrigin) {
	b.mu.Lock()
	b.allocator.SetPools(order, pools)
	b.shares = make(map[string]bool, len(pools))
	for _, pool := range pools {
		b.shares[pool.Name] = pool.Share
	}
	for e := range b.waiting.all() {
		if e.demand != "" {
			e.demand = b.demandOf(e, b.granted(e))
		}
	}
	b.origin = origin
	b.serve()
	woken := slices.Collect(maps.Keys(b.entries))
	b.mu.Unlock()

	b.wake(woken)
}

// setOrigin changes what those are told whom the pools do not serve.
func (b *book) setOrigin(origin poolsOrigin) {
	b.mu.Lock()
	var woken []types.NamespacedName
	if b.origin != origin {
		b.origin = origin
		woken = slices.Collect(maps.Keys(b.entries))
	}
	b.mu.Unlock()

	b.wake(woken)
}

// holding returns all that is reserved for a Service, also what is leaving it.
func (b *book) holding(key types.NamespacedName) []netip.Addr {
	addresses, _ := b.allocator.Holding(ipam.Owner(key))
	return addresses
}
