package ipam

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"go4.org/netipx"
)

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

// batch is how many operations are timed at a stretch.
const batch = 100

// request returns the request of the nth Service, with strings of its own, as
// they come from an API object.
func request(n int) Request {
	return Request{
		Owner:    Owner{fmt.Sprintf("namespace-%d", n%100), fmt.Sprintf("service-%d", n)},
		Families: []Family{IPv4},
		Ports:    []Port{{"TCP", 80}, {"TCP", 443}},
	}
}

// churn releases addresses and allocates as many for owners not seen before, and
// measures each half. The ith to go is whoever came to place order(i).
func churn(b *testing.B, a *Allocator, held []int, order func(i int) int) {
	unseen := len(held)
	goers, comers := make([]Request, batch), make([]Request, batch)
	var releases, allocations []time.Duration
	for done := 0; done < b.N; done += batch {
		for i := range batch {
			place := &held[order(done+i)]
			goers[i], comers[i] = request(*place), request(unseen)
			*place = unseen
			unseen++
		}
		start := time.Now()
		for i := range goers {
			a.Release(goers[i].Owner)
		}
		middle := time.Now()
		for i := range comers {
			if _, err := a.Allocate(comers[i]); err != nil {
				b.Fatal(err)
			}
		}
		allocations = append(allocations, time.Since(middle))
		releases = append(releases, middle.Sub(start))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(allocations)/batch, "p50-ns/allocate")
	b.ReportMetric(median(releases)/batch, "p50-ns/release")
}

// median is not moved by what else runs on the machine, unlike the mean.
func median(ds []time.Duration) float64 {
	slices.Sort(ds)
	return float64(ds[len(ds)/2])
}

func BenchmarkChurn(b *testing.B) {
	for _, pattern := range []string{"oldest", "random"} {
		for _, n := range []int{1000, 1_000_000} {
			b.Run(fmt.Sprintf("%s/held=%d", pattern, n), func(b *testing.B) {
				a := New(Ascending)
				a.SetPools(Ascending, []Pool{{Name: Global, Addresses: addresses(b, "10.0.0.0/8")}})
				held := make([]int, n)
				for i := range n {
					held[i] = i
					a.Allocate(request(i))
				}
				order := func(i int) int { return i % n }
				if pattern == "random" {
					order = func(int) int { return rand.IntN(n) }
				}
				churn(b, a, held, order)
			})
		}
	}
}
