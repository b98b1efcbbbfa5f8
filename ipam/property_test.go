package ipam

import (
	"errors"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go4.org/netipx"
	"pgregory.net/rapid"
)

// TestAgainstModel drives the allocator and the model with the same random
// steps and compares all that can be seen after each.
func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &machine{real: New(Ascending), model: newModel()}
		t.Repeat(map[string]func(*rapid.T){
			"":         s.compare,
			"allocate": s.allocate,
			"repeat":   s.repeat,
			"retry":    s.retry,
			"adopt":    s.adopt,
			"release":  s.release,
			"pools":    s.setPools,
		})
	})
}

// machine runs both allocators side by side.
type machine struct {
	real    *Allocator
	model   *model
	granted []Request // the last request granted to each owner
	refused *Request  // the last one refused
	freed   uint64    // at that time
}

func (s *machine) setPools(t *rapid.T) {
	order := rapid.SampledFrom([]Order{Ascending, Descending}).Draw(t, "order")
	var pools []Pool
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{Global, "a", "b"}), 0, 3, rapid.ID).Draw(t, "names") {
		pools = append(pools, Pool{name, drawSet(t), rapid.Bool().Draw(t, "share")})
	}
	s.real.SetPools(order, pools)
	s.model.order, s.model.pools = order, pools
}

func (s *machine) allocate(t *rapid.T) {
	r := drawRequest(t)
	if !rapid.Bool().Draw(t, "by number") {
		r.Addresses = nil
	}
	s.ask(t, r)
}

// repeat asks again for what an owner has: the same addresses come back.
func (s *machine) repeat(t *rapid.T) {
	if len(s.granted) == 0 {
		return
	}
	r := rapid.SampledFrom(s.granted).Draw(t, "granted")
	s.ask(t, r)
}

// retry holds Freed to its word: nothing freed, so refused again.
func (s *machine) retry(t *rapid.T) {
	if s.refused == nil || s.real.Freed() != s.freed {
		return
	}
	if given, err := s.real.Allocate(*s.refused); err == nil {
		t.Fatalf("%+v: given %v though nothing was freed since it was refused", *s.refused, given)
	}
}

func (s *machine) ask(t *rapid.T, r Request) {
	given, err := s.real.Allocate(r)
	want, reason, by := s.model.allocate(r)
	if err == nil {
		if reason != "" || !slices.Equal(given, want) {
			t.Fatalf("%+v: given %v, want %v %s %s", r, given, want, reason, by)
		}
		s.granted = slices.DeleteFunc(s.granted, func(g Request) bool { return g.Owner == r.Owner })
		s.granted = append(s.granted, r)
		return
	}
	var refusal *Error
	if !errors.As(err, &refusal) || refusal.Reason != reason || refusal.Holder != by || len(given) > 0 {
		t.Fatalf("%+v: given %v, %v, want %v %s %s", r, given, err, want, reason, by)
	}
	s.refused, s.freed = &r, s.real.Freed()
}

func (s *machine) adopt(t *rapid.T) {
	r := drawRequest(t)
	got, want := s.real.Adopt(r), s.model.adopt(r)
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(Conflict{}, "Port", "Detail"), compareAddresses()); d != "" {
		t.Fatalf("%+v: conflicts (-want +got):\n%s", r, d)
	}
}

func (s *machine) release(t *rapid.T) {
	owner := drawOwner(t)
	s.granted = slices.DeleteFunc(s.granted, func(g Request) bool { return g.Owner == owner })
	if got, want := s.real.Release(owner), s.model.release(owner); !slices.Equal(got, want) {
		t.Fatalf("release of %s: got %v, want %v", owner, got, want)
	}
}

// compare looks at both from outside, then at the real one's inside.
func (s *machine) compare(t *rapid.T) {
	for _, owner := range everyOwner() {
		got, held := s.real.Holding(owner)
		h := s.model.holders[owner]
		if held != (h != nil) || held && !slices.Equal(got, h.addresses) {
			t.Fatalf("%s holds %v, want %+v", owner, got, h)
		}
	}
	for address, want := range s.model.joined {
		if got := s.real.Holders(address); !slices.Equal(got, want) {
			t.Fatalf("%s is held by %v, want %v", address, got, want)
		}
	}
	s.compareUsage(t)
	checkInside(t, s.real)
}

func (s *machine) compareUsage(t *rapid.T) {
	var want []Usage
	for _, p := range s.model.pools {
		for _, f := range []Family{IPv4, IPv6} {
			size := 0.0
			for _, r := range p.Addresses.Ranges() {
				if familyOf(r.From()) == f {
					for _, prefix := range r.Prefixes() {
						size += math.Exp2(float64(prefix.Addr().BitLen() - prefix.Bits()))
					}
				}
			}
			if size > 0 {
				want = append(want, Usage{p.Name, f, size, s.model.used(p, f)})
			}
		}
	}
	if got := s.real.Usage(); !slices.Equal(got, want) {
		t.Fatalf("usage %v, want %v", got, want)
	}
}

func compareAddresses() cmp.Option {
	return cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
}

// everyOwner returns owners with names that fit their holding and one that does not.
func everyOwner() (owners []Owner) {
	for _, namespace := range []string{"a", "b", "c"} {
		for _, name := range []string{"", strings.Repeat("n", maxShort), strings.Repeat("n", tooLong)} {
			owners = append(owners, Owner{namespace, name})
		}
	}
	return owners
}

func drawOwner(t *rapid.T) Owner {
	return rapid.SampledFrom(everyOwner()).Draw(t, "owner")
}

func drawRequest(t *rapid.T) Request {
	r := Request{
		Owner:    drawOwner(t),
		Families: rapid.SampledFrom([][]Family{{IPv4}, {IPv6}, {IPv4, IPv6}, {IPv6, IPv4}}).Draw(t, "families"),
		Sharing: Sharing{
			Key:     rapid.SampledFrom([]string{"", "key", "other"}).Draw(t, "key"),
			Backend: rapid.SampledFrom([]string{"", "", "local"}).Draw(t, "backend"),
		},
		Ports: rapid.SliceOfN(rapid.SampledFrom([]Port{{"TCP", 80}, {"TCP", 443}, {"UDP", 80}}), 0, 3).Draw(t, "ports"),
	}
	r.Required = rapid.IntRange(0, len(r.Families)).Draw(t, "required")
	for _, f := range r.Families {
		if rapid.Bool().Draw(t, "request") {
			r.Addresses = append(r.Addresses, drawAddress(t, f))
		}
	}
	return r
}

// drawAddress draws from 16 addresses of each family, on both sides of the edge
// of a word; pools are made of these, so that they overlap, touch and run out.
// Some pools are larger, so that words are free from end to end.
func drawAddress(t *rapid.T, f Family) netip.Addr {
	a := netip.MustParseAddr("192.0.2.0").As16()
	if f == IPv6 {
		a = netip.MustParseAddr("2001:db8::").As16()
	}
	a[15] = wordSize - 8 + rapid.Byte().Draw(t, "address")%16
	return netip.AddrFrom16(a).Unmap()
}

func drawSet(t *rapid.T) *netipx.IPSet {
	var b netipx.IPSetBuilder
	for range rapid.IntRange(0, 4).Draw(t, "ranges") {
		f := rapid.SampledFrom([]Family{IPv4, IPv6}).Draw(t, "family")
		from, to := drawAddress(t, f), drawAddress(t, f)
		if to.Less(from) {
			from, to = to, from
		}
		b.AddRange(netipx.IPRangeFrom(from, to))
	}
	for _, large := range []string{"192.0.2.0/25", "2001:db8::/64"} {
		if rapid.IntRange(0, 3).Draw(t, "large") == 0 {
			b.AddPrefix(netip.MustParsePrefix(large))
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "excludes") {
		b.Remove(drawAddress(t, rapid.SampledFrom([]Family{IPv4, IPv6}).Draw(t, "family")))
	}
	set, err := b.IPSet()
	if err != nil {
		t.Fatal(err)
	}
	return set
}
