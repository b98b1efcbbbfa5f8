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

// crowd is an allocator and the Services that hold its addresses.
type crowd struct {
	allocator *Allocator
	held      []int // which Service is in which place
	unseen    int   // the next Service to come
}

// newCrowd puts n Services into a pool.
func newCrowd(b *testing.B, n int, pool Pool) *crowd {
	b.Helper()
	c := &crowd{allocator: New(Ascending), held: make([]int, n)}
	c.allocator.SetPools(Ascending, []Pool{pool})
	for place := range c.held {
		if _, err := c.allocator.Allocate(c.come(place)); err != nil {
			b.Fatal(err)
		}
	}
	return c
}

// come puts a Service not seen before in a place, and returns what it asks for.
func (c *crowd) come(place int) Request {
	c.held[place] = c.unseen
	c.unseen++
	return request(c.held[place])
}

// churn releases addresses and allocates as many for Services not seen before,
// and measures each half. The ith to go is the one in place order(i).
func (c *crowd) churn(b *testing.B, order func(i int) int) {
	goers, comers := make([]Request, batch), make([]Request, batch)
	var releases, allocations []time.Duration
	for done := 0; done < b.N; done += batch {
		for i := range batch {
			place := order(done + i)
			goers[i], comers[i] = request(c.held[place]), c.come(place)
		}
		start := time.Now()
		for i := range goers {
			c.allocator.Release(goers[i].Owner)
		}
		middle := time.Now()
		for i := range comers {
			if _, err := c.allocator.Allocate(comers[i]); err != nil {
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

// BenchmarkChurn compares few addresses with many. The Services that go are the
// newest, the oldest, or any: the less the machine's caches can foresee, the more
// a million costs.
func BenchmarkChurn(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		c := newCrowd(b, n, Pool{Name: Global, Addresses: addresses(b, "10.0.0.0/8")})
		shuffled := rand.Perm(n)
		orders := map[string]func(int) int{
			"newest": func(i int) int { return n - 1 - i%batch },
			"oldest": func(i int) int { return i % n },
			"random": func(i int) int { return shuffled[i%n] },
		}
		for _, pattern := range []string{"newest", "oldest", "random"} {
			b.Run(fmt.Sprintf("%s/held=%d", pattern, n), func(b *testing.B) { c.churn(b, orders[pattern]) })
		}
	}
}

// BenchmarkFragmented has a free address between any two that are held. Each run
// begins anew, since the lowest gaps are filled as it goes on.
func BenchmarkFragmented(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprintf("held=%d", n), func(b *testing.B) {
			c := newCrowd(b, 2*n, Pool{Name: Global, Addresses: addresses(b, "10.0.0.0/8")})
			for i := range n {
				c.allocator.Release(request(c.held[2*i]).Owner)
				c.held[i] = c.held[2*i+1]
			}
			shuffled := rand.Perm(n)
			c.churn(b, func(i int) int { return shuffled[i%n] })
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
	c := newCrowd(b, n, Pool{Name: Global, Addresses: addresses(b, list...)})
	shuffled := rand.Perm(n)
	b.Run(fmt.Sprintf("held=%d", n), func(b *testing.B) {
		c.churn(b, func(i int) int { return shuffled[i%n] })
	})
}

// BenchmarkShared has a pool that shares where the ports of every request are in
// use on every address.
func BenchmarkShared(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		c := newCrowd(b, n, Pool{Name: Global, Addresses: addresses(b, "10.0.0.0/8"), Share: true})
		b.Run(fmt.Sprintf("held=%d", n), func(b *testing.B) {
			c.churn(b, func(i int) int { return n - 1 - i%batch })
		})
	}
}

// BenchmarkSetPools rebuilds what is free around those who hold.
func BenchmarkSetPools(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		pools := []Pool{{Name: Global, Addresses: addresses(b, "10.0.0.0/8")}}
		c := newCrowd(b, n, pools[0])
		b.Run(fmt.Sprintf("held=%d", n), func(b *testing.B) {
			for b.Loop() {
				c.allocator.SetPools(Ascending, pools)
			}
		})
	}
}
