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
	served    uint64 // what Freed said when the line was served
	poolsNote string
	metrics   *metrics
	// wake asks for Services to be reconciled. It is called without the lock.
	wake func([]types.NamespacedName)
}

// entry is one Service in the book.
type entry struct {
	claim
	refusal error // why the claim is not met, nil if it is
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
	// poolsNote says where the pools come from, or why there are none.
	poolsNote string
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
	e := b.enter(c)
	_, disturbed := b.grant(e)
	a := b.answer(e)
	woken := append(disturbed, b.serve()...)
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

// learn enters, as it is, what the statuses of all Services say, and only then
// grants what is still claimed: the oldest claim first. Leaving are those whose
// addresses are to be taken back.
func (b *book) learn(claims, leaving []claim) {
	b.mu.Lock()
	defer b.mu.Unlock()

	for _, c := range slices.SortedFunc(slices.Values(slices.Concat(claims, leaving)), byAge) {
		b.entries[c.key] = &entry{claim: c}
		b.adopt(c, c.held)
	}
	for _, c := range slices.SortedFunc(slices.Values(claims), byAge) {
		b.grant(b.entries[c.key])
	}
}

// setPools changes the pools and serves those who wait. Nobody loses an address.
func (b *book) setPools(order ipam.Order, pools []ipam.Pool, note string) {
	b.mu.Lock()
	b.allocator.SetPools(order, pools)
	b.poolsNote = note
	b.serve()
	woken := slices.Collect(maps.Keys(b.entries))
	b.mu.Unlock()

	b.wake(woken)
}

// setNote changes what those are told who have no pool.
func (b *book) setNote(note string) {
	b.mu.Lock()
	var woken []types.NamespacedName
	if b.poolsNote != note {
		b.poolsNote = note
		woken = slices.Collect(maps.Keys(b.entries))
	}
	b.mu.Unlock()

	b.wake(woken)
}

// holding returns the addresses of a Service.
func (b *book) holding(key types.NamespacedName) []netip.Addr {
	addresses, _ := b.allocator.Holding(ipam.Owner(key))
	return addresses
}

// enter makes c the claim of its entry. An entry of the same name but another
// Service is struck out first.
func (b *book) enter(c claim) *entry {
	e := b.entries[c.key]
	if e != nil && e.uid != c.uid {
		b.strike(c.key)
		e = nil
	}
	if e == nil {
		e = &entry{claim: c}
		b.entries[c.key] = e
		b.recall(c)
		return e
	}
	c.version = e.version
	e.claim = c
	return e
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
	before, told := b.holding(e.key), e.refusal
	e.refusal = e.invalid
	if e.refusal == nil {
		_, e.refusal = b.allocator.Allocate(e.request)
	}
	if e.refusal != nil {
		// It keeps what it holds, with the ports and the key that it has now.
		disturbed = b.contenders(b.adopt(e.claim, nil))
	}
	after := b.holding(e.key)
	if e.invalid == nil && (e.refusal != nil || len(after) < len(e.request.Families)) {
		b.waiting.add(e)
	} else {
		b.waiting.remove(e)
	}
	b.metrics.granted(before, after)
	b.metrics.refused(told, e.refusal, after)
	return !slices.Equal(before, after) || text(told) != text(e.refusal), disturbed
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
// that became free. It returns those who have news.
func (b *book) serve() []types.NamespacedName {
	var woken []types.NamespacedName
	for b.served != b.allocator.Freed() {
		b.served = b.allocator.Freed()
		for _, e := range b.waiting.all() {
			news, disturbed := b.grant(e)
			if news {
				woken = append(woken, e.key)
			}
			woken = append(woken, disturbed...)
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
	a := answer{addresses: b.holding(e.key), refusal: e.refusal, poolsNote: b.poolsNote}
	for _, address := range a.addresses {
		if !b.allocator.InPool(e.key.Namespace, address) {
			a.outside = append(a.outside, address)
		}
	}
	return a
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
