package ipam

import (
	"net/netip"
	"strings"
	"testing"

	"go4.org/netipx"
)

// addresses makes a set of prefixes and ranges.
func addresses(t testing.TB, list ...string) *netipx.IPSet {
	t.Helper()
	var b netipx.IPSetBuilder
	for _, s := range list {
		if r, err := netipx.ParseIPRange(s); err == nil {
			b.AddRange(r)
		} else {
			b.AddPrefix(netip.MustParsePrefix(s))
		}
	}
	set, err := b.IPSet()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// pools returns an allocator with pools given as "name[,share]: set set".
func pools(t testing.TB, order Order, specs ...string) *Allocator {
	t.Helper()
	a := New(order)
	a.SetPools(order, parsePools(t, specs...))
	return a
}

func parsePools(t testing.TB, specs ...string) (list []Pool) {
	t.Helper()
	for _, spec := range specs {
		name, sets, _ := strings.Cut(spec, ": ")
		name, share := strings.CutSuffix(name, ",share")
		list = append(list, Pool{name, addresses(t, strings.Fields(sets)...), share})
	}
	return list
}

func parseOwner(s string) Owner {
	namespace, name, _ := strings.Cut(s, "/")
	return Owner{namespace, name}
}

func parseAddresses(s string) (list []netip.Addr) {
	for field := range strings.FieldsSeq(s) {
		list = append(list, netip.MustParseAddr(field))
	}
	return list
}

func text(list []netip.Addr) string {
	var words []string
	for _, address := range list {
		words = append(words, address.String())
	}
	return strings.Join(words, " ")
}

// ask is a request for one IPv4 address with port TCP/80, changed by options.
func ask(owner string, options ...func(*Request)) Request {
	r := Request{Owner: parseOwner(owner), Families: []Family{IPv4}, Ports: []Port{{"TCP", 80}}}
	for _, option := range options {
		option(&r)
	}
	return r
}

func exactly(list string) func(*Request) {
	return func(r *Request) { r.Addresses = parseAddresses(list) }
}

func families(required int, list ...Family) func(*Request) {
	return func(r *Request) { r.Families, r.Required = list, required }
}

func key(key string) func(*Request) { return func(r *Request) { r.Sharing.Key = key } }

func backend(b string) func(*Request) { return func(r *Request) { r.Sharing.Backend = b } }

func ports(list ...Port) func(*Request) { return func(r *Request) { r.Ports = list } }

// step is one call and what it is to yield: addresses, or a refusal in words.
type step struct {
	allocate Request
	want     string
	refused  string
}

// run takes the steps. A refusal must leave the owner with what it had.
func run(t *testing.T, a *Allocator, steps []step) {
	t.Helper()
	for i, s := range steps {
		before, _ := a.Holding(s.allocate.Owner)
		given, err := a.Allocate(s.allocate)
		if err == nil {
			if text(given) != s.want || s.refused != "" {
				t.Fatalf("step %d, %s: given %s, want %s %s", i, s.allocate.Owner, text(given), s.want, s.refused)
			}
			continue
		}
		if err.Error() != s.refused {
			t.Fatalf("step %d, %s: %v, want %s %s", i, s.allocate.Owner, err, s.want, s.refused)
		}
		if after, _ := a.Holding(s.allocate.Owner); text(after) != text(before) {
			t.Fatalf("step %d, %s: refused, and %s became %s", i, s.allocate.Owner, text(before), text(after))
		}
	}
}
