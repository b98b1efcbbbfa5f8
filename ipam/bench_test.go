package ipam

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

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
	unseen := 2 * len(held)
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

// filled returns an allocator with one pool, the first n Services in it, and who
// is in which place.
func filled(b *testing.B, n int, pool Pool) (*Allocator, []int) {
	b.Helper()
	a := New(Ascending)
	a.SetPools(Ascending, []Pool{pool})
	held := make([]int, n)
	for i := range n {
		held[i] = i
		if _, err := a.Allocate(request(i)); err != nil {
			b.Fatal(err)
		}
	}
	return a, held
}

// BenchmarkChurn compares few addresses with many. The Services that go are the
// newest, the oldest, or any: the less the machine's caches can foresee, the more
// a million costs.
func BenchmarkChurn(b *testing.B) {
	for _, pattern := range []string{"newest", "oldest", "random"} {
		for _, n := range []int{1000, 1_000_000} {
			b.Run(fmt.Sprintf("%s/held=%d", pattern, n), func(b *testing.B) {
				a, held := filled(b, n, Pool{Name: Global, Addresses: addresses(b, "10.0.0.0/8")})
				churn(b, a, held, map[string]func(int) int{
					"newest": func(i int) int { return n - 1 - i%batch },
					"oldest": func(i int) int { return i % n },
					"random": func(int) int { return rand.IntN(n) },
				}[pattern])
			})
		}
	}
}

// BenchmarkFragmented has a free address between any two that are held.
func BenchmarkFragmented(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprintf("held=%d", n), func(b *testing.B) {
			a, held := filled(b, 2*n, Pool{Name: Global, Addresses: addresses(b, "10.0.0.0/8")})
			for i := range n {
				a.Release(request(held[2*i]).Owner)
				held[i] = held[2*i+1]
			}
			churn(b, a, held[:n], func(int) int { return rand.IntN(n) })
		})
	}
}

// BenchmarkRanges has a pool of 65,536 ranges of 16 addresses each.
func BenchmarkRanges(b *testing.B) {
	var list []string
	for i := range 1 << 16 {
		list = append(list, fmt.Sprintf("10.%d.%d.0/28", i>>8, i&0xff))
	}
	const n = 1000
	a, held := filled(b, n, Pool{Name: Global, Addresses: addresses(b, list...)})
	churn(b, a, held, func(int) int { return rand.IntN(n) })
}

// BenchmarkShared has a pool that shares where the ports of every request are in
// use on every address.
func BenchmarkShared(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("held=%d", n), func(b *testing.B) {
			a, held := filled(b, n, Pool{Name: Global, Addresses: addresses(b, "10.0.0.0/8"), Share: true})
			churn(b, a, held, func(i int) int { return n - 1 - i%batch })
		})
	}
}

// BenchmarkSetPools rebuilds what is free around those who hold.
func BenchmarkSetPools(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprintf("held=%d", n), func(b *testing.B) {
			pool := Pool{Name: Global, Addresses: addresses(b, "10.0.0.0/8")}
			a, _ := filled(b, n, pool)
			for b.Loop() {
				a.SetPools(Ascending, []Pool{pool})
			}
		})
	}
}
