package l2

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// nth returns the nth address of a large pool.
func nth(n int, six bool) netip.Addr {
	if six {
		return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)})
	}
	return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
}

// A set and its successors say what a map says, and a set never changes.
func TestOwned(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	set, model := new(owned), map[netip.Addr]role{}
	for range 200 {
		before, addr := set, nth(random.IntN(2000), random.IntN(2) == 0)
		was := before.role(addr)
		changes := map[netip.Addr]role{addr: role(random.IntN(3))}
		for range random.IntN(20) {
			changes[nth(random.IntN(2000), random.IntN(2) == 0)] = role(random.IntN(3))
		}
		set = before.with(changes)
		maps.Copy(model, changes)
		if before.role(addr) != was {
			t.Fatal("a set changed")
		}
		for a, want := range model {
			if got := set.role(a); got != want {
				t.Fatalf("role of %s = %d, want %d", a, got, want)
			}
			if want == ignored {
				delete(model, a)
			}
		}
		if set.size != len(model) {
			t.Fatalf("size %d, want %d", set.size, len(model))
		}
	}
}

// Neighbouring addresses, and every 256th, spread over the shards.
func TestShards(t *testing.T) {
	for _, stride := range []int{1, 256, 65536 / 2} {
		seen := map[uint8]int{}
		for i := range 256 {
			seen[shard(nth(i*stride, false))]++
		}
		for s, n := range seen {
			if n > 8 {
				t.Errorf("stride %d: %d of 256 addresses in shard %d", stride, n, s)
			}
		}
	}
}

func BenchmarkOwned(b *testing.B) {
	for _, size := range []int{1, 1000, 100_000} {
		changes := make(map[netip.Addr]role, size)
		for i := range size {
			changes[nth(i, true)] = answered
		}
		set := new(owned).with(changes)
		b.Run(fmt.Sprintf("look up/%d", size), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if set.role(nth(i%size, true)) != answered {
					b.Fatal("not found")
				}
			}
		})
		one := map[netip.Addr]role{nth(size, true): answered}
		b.Run(fmt.Sprintf("add one/%d", size), func(b *testing.B) {
			for b.Loop() {
				set.with(one)
			}
		})
	}
}
