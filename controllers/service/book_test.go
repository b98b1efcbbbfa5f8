package service

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go4.org/netipx"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/heraldlb/herald/ipam"
)

type fataler interface{ Fatal(args ...any) }

// testBook returns a book, and the keys that it woke.
func testBook(t fataler) (*book, *[]types.NamespacedName) {
	metrics, err := newMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	woken := new([]types.NamespacedName)
	return newBook(metrics, func(keys []types.NamespacedName) { *woken = append(*woken, keys...) }), woken
}

func poolOf(t fataler, prefix string) []ipam.Pool {
	var builder netipx.IPSetBuilder
	builder.AddPrefix(netip.MustParsePrefix(prefix))
	addresses, err := builder.IPSet()
	if err != nil {
		t.Fatal(err)
	}
	return []ipam.Pool{{Name: ipam.Global, Addresses: addresses}}
}

// testClaim is that of a Service created at a second, which asks for any IPv4
// address.
func testClaim(name string, second int) claim {
	key := types.NamespacedName{Namespace: "default", Name: name}
	return claim{
		key:     key,
		uid:     types.UID(fmt.Sprint(name, second)),
		created: time.Unix(int64(second), 0),
		request: ipam.Request{
			Owner:    ipam.Owner(key),
			Families: []ipam.Family{ipam.IPv4},
			Ports:    []ipam.Port{{Protocol: "TCP", Number: 80}},
		},
	}
}

func TestBookServesTheOldestFirst(t *testing.T) {
	book, woken := testBook(t)
	book.setPools(ipam.Ascending, poolOf(t, "192.0.2.0/32"), poolsOrigin{})
	book.ask(testClaim("holder", 0))
	for name, second := range map[string]int{"young": 3, "old": 1, "middle": 2} {
		book.ask(testClaim(name, second))
	}
	*woken = nil
	book.leave(testClaim("holder", 0).key)
	if want := []types.NamespacedName{testClaim("old", 1).key}; !slices.Equal(*woken, want) {
		t.Errorf("woke %v, want %v", *woken, want)
	}
	// A newcomer that asks before the reservation is written does not get it.
	if a := book.ask(testClaim("newcomer", 9)); len(a.addresses) != 0 {
		t.Errorf("the newcomer got %v", a.addresses)
	}
	if a := book.ask(testClaim("old", 1)); len(a.addresses) != 1 {
		t.Errorf("the oldest got %v, refused: %v", a.addresses, a.refusal)
	}
}

func TestBookLearnsAllBeforeItGrants(t *testing.T) {
	book, _ := testBook(t)
	book.setPools(ipam.Ascending, poolOf(t, "192.0.2.0/31"), poolsOrigin{})
	oldest, youngest, leaving := testClaim("oldest", 0), testClaim("youngest", 9), testClaim("leaving", 5)
	youngest.held = []netip.Addr{netip.MustParseAddr("192.0.2.0")}
	leaving.held = []netip.Addr{netip.MustParseAddr("192.0.2.1")}
	book.learn([]claim{oldest, youngest}, []claim{leaving}, nil)
	if a := book.ask(oldest); a.refusal == nil {
		t.Errorf("the oldest got %v, which another has", a.addresses)
	}
	if a := book.ask(youngest); !slices.Equal(a.addresses, youngest.held) {
		t.Errorf("the youngest has %v, want %v", a.addresses, youngest.held)
	}
	book.leave(leaving.key)
	if got := book.holding(oldest.key); !slices.Equal(got, leaving.held) {
		t.Errorf("the oldest has %v, want %v", got, leaving.held)
	}
}

// TestBookServesWhatLearningFreed: a Service that moves to another address frees
// its own, which one that waits takes before any newcomer.
func TestBookServesWhatLearningFreed(t *testing.T) {
	book, woken := testBook(t)
	book.setPools(ipam.Ascending, poolOf(t, "192.0.2.0/32"), poolsOrigin{})
	young, old := testClaim("young", 9), testClaim("old", 1)
	old.request.Sharing.Key, old.request.Addresses = "k", []netip.Addr{netip.MustParseAddr("192.0.2.0")}
	young.held = old.request.Addresses
	young.request.Sharing.Key = "k"
	young.request.Ports = []ipam.Port{{Protocol: "TCP", Number: 443}}
	gone := testClaim("gone", 5)
	book.learn([]claim{young, old, gone}, nil, nil)
	if got := book.holding(old.key); len(got) != 1 {
		t.Errorf("the old one holds %v", got)
	}
	for _, c := range []claim{young, old, gone} {
		if !slices.Contains(*woken, c.key) {
			t.Errorf("%s was not woken", c.key)
		}
	}
	if book.served != book.allocator.Freed() {
		t.Error("not all were served with what was freed meanwhile")
	}
}

func TestBookTakesANamesakeForAnother(t *testing.T) {
	book, _ := testBook(t)
	book.setPools(ipam.Ascending, poolOf(t, "192.0.2.0/32"), poolsOrigin{})
	book.ask(testClaim("web", 0))
	book.ask(testClaim("waits", 1))
	if a := book.ask(testClaim("web", 2)); a.refusal == nil {
		t.Errorf("the second web got %v before one that waits", a.addresses)
	}
	if got := book.holding(testClaim("waits", 1).key); len(got) != 1 {
		t.Errorf("the one that waited has %v", got)
	}
}

// TestBookReservesWhatIsLeaving: a status that still names an address keeps it
// from everybody else.
func TestBookReservesWhatIsLeaving(t *testing.T) {
	book, woken := testBook(t)
	book.setPools(ipam.Ascending, poolOf(t, "192.0.2.0/31"), poolsOrigin{})
	mover, waits := testClaim("mover", 0), testClaim("waits", 1)
	first := book.ask(mover).addresses
	before := storedAs(book, mover.key)
	mover.request.Addresses = []netip.Addr{first[0].Next()}
	if a := book.ask(mover); !slices.Equal(a.addresses, mover.request.Addresses) {
		t.Errorf("moved to %v, refused: %v", a.addresses, a.refusal)
	}
	if a := book.ask(waits); a.refusal == nil {
		t.Errorf("got %v before the status of the other was written", a.addresses)
	}
	book.stored(before) // a write that was under way
	if a := book.ask(waits); a.refusal == nil {
		t.Errorf("got %v, which the other's status still names", a.addresses)
	}
	*woken = nil
	book.stored(storedAs(book, mover.key))
	if got := book.holding(waits.key); !slices.Equal(got, first) || !slices.Contains(*woken, waits.key) {
		t.Errorf("holds %v, woken %v; want %v", got, *woken, first)
	}
	if a := book.ask(mover); !slices.Equal(a.addresses, mover.request.Addresses) {
		t.Errorf("the mover has %v", a.addresses)
	}
}

// TestBookProperties: whatever happens, no address is held twice, nobody's
// address changes but by their own wish, and nobody waits for what is free.
func TestBookProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		book, woken := testBook(t)
		claims := make(map[types.NamespacedName]claim)
		names := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"})
		second := 0
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			before := holdings(book, claims)
			*woken = nil
			var asked types.NamespacedName
			switch rapid.SampledFrom([]string{"ask", "ask", "ask", "store", "leave", "pools"}).Draw(t, "step") {
			case "ask":
				name := names.Draw(t, "name")
				second++
				c := testClaim(name, second)
				if known, ok := claims[c.key]; ok {
					c = testClaim(name, int(known.created.Unix()))
				}
				if last := rapid.IntRange(-3, 5).Draw(t, "address"); last >= 0 {
					c.request.Addresses = []netip.Addr{netip.AddrFrom4([4]byte{192, 0, 2, byte(last)})}
				}
				asked = c.key
				claims[c.key] = c
				book.ask(c)
			case "store":
				asked = testClaim(names.Draw(t, "name"), 0).key
				book.stored(storedAs(book, asked))
			case "leave":
				asked = testClaim(names.Draw(t, "name"), 0).key
				delete(claims, asked)
				book.leave(asked)
			case "pools":
				book.setPools(ipam.Ascending, poolOf(t, fmt.Sprintf("192.0.2.0/%d", rapid.IntRange(30, 32).Draw(t, "bits"))), poolsOrigin{})
			}
			check(t, book, claims, before, asked, *woken)
		}
	})
}

// storedAs is a Service whose status is what the book says.
func storedAs(b *book, key types.NamespacedName) *corev1.Service {
	svc := &corev1.Service{}
	svc.Namespace, svc.Name = key.Namespace, key.Name
	if e := b.entries[key]; e != nil {
		svc.UID = e.uid
		svc.Status.LoadBalancer = loadBalancer(svc, b.granted(e))
	}
	return svc
}

func holdings(b *book, claims map[types.NamespacedName]claim) map[types.NamespacedName][]netip.Addr {
	all := make(map[types.NamespacedName][]netip.Addr)
	for key := range claims {
		all[key] = b.holding(key)
	}
	return all
}

func check(t *rapid.T, b *book, claims map[types.NamespacedName]claim, before map[types.NamespacedName][]netip.Addr, asked types.NamespacedName, woken []types.NamespacedName) {
	holders := make(map[netip.Addr]types.NamespacedName)
	after := holdings(b, claims)
	for key, addresses := range after {
		for _, address := range addresses {
			if other, twice := holders[address]; twice {
				t.Fatalf("%s and %s both hold %s", key, other, address)
			}
			holders[address] = key
		}
		if key == asked || slices.Equal(before[key], addresses) {
			continue
		}
		// It changed through no deed of its own: it was served, and told.
		if len(before[key]) > 0 && len(claims[key].request.Addresses) == 0 {
			t.Fatalf("%s had %v and has %v", key, before[key], addresses)
		}
		if !slices.Contains(woken, key) {
			t.Fatalf("%s got %v and was not woken", key, addresses)
		}
	}
	for e := range b.waiting.all() {
		if addresses, err := b.allocator.Allocate(e.request); err == nil {
			t.Fatalf("%s waited for %v, which could be had", e.key, addresses)
		}
	}
}

// TestBookPartialHolders: a release does not try for each of those who lack a
// family that the pool has none of, and each gets it once there is one.
func TestBookPartialHolders(t *testing.T) {
	book, _ := testBook(t)
	book.setPools(ipam.Ascending, poolOf(t, "192.0.2.0/24"), poolsOrigin{})
	demands := make(map[string]bool)
	for i := range 10 {
		c := testClaim(fmt.Sprint(i), i)
		c.request.Families, c.request.Required = []ipam.Family{ipam.IPv4, ipam.IPv6}, 1
		book.ask(c)
		demands[book.entries[c.key].demand] = true
	}
	if len(demands) != 1 || demands[""] {
		t.Errorf("demands %v, want one", demands)
	}
	book.setPools(ipam.Ascending, poolOf(t, "2001:db8::/125"), poolsOrigin{})
	var both int
	for i := range 10 {
		if len(book.holding(testClaim(fmt.Sprint(i), i).key)) == 2 {
			both++
		}
	}
	if both != 8 {
		t.Errorf("%d have both families, want all 8 that there are addresses for", both)
	}
	book.leave(testClaim("0", 0).key)
	if got := book.holding(testClaim("8", 8).key); len(got) != 2 {
		t.Errorf("the next holds %v", got)
	}
}

// BenchmarkLeave is what it costs to give an address back, and to serve the
// oldest, while 10,000 wait.
func BenchmarkLeave(b *testing.B) {
	const waiting = 10_000
	book, _ := testBook(b)
	book.setPools(ipam.Ascending, poolOf(b, "192.0.2.0/32"), poolsOrigin{})
	numbered := func(i int) claim { return testClaim(fmt.Sprint(i), i) }
	for i := range waiting {
		book.ask(numbered(i))
	}
	for i := range b.N {
		book.leave(numbered(i).key)
		book.ask(numbered(i + waiting))
	}
}
