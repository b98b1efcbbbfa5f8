package suite

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/e2e/suite/claim"
	"github.com/heraldlb/herald/e2e/suite/ground"
	"github.com/heraldlb/herald/e2e/suite/scene"
)

const (
	// mass is how many addresses one node has, massV4 of them IPv4.
	mass, massV4 = 300, 90
	makers       = 20
	// massPatience is how long it may take until they are there.
	massPatience = time.Minute
	// repeats are how often an address is announced until the second is over, and
	// once more.
	repeats = 3
)

var _ = Describe("A node with 300 addresses that crashes", func() {
	It("loses all of them to others, which announce each at most twice in the first second", func(ctx SpecContext) {
		for _, node := range stage.Nodes { // nobody sends anything, and rules for all of it take a while
			stage.Hang(ctx, ground.Component{Host: node, Name: ground.Proxy})
		}
		victim, others := stage.Nodes[0], stage.Nodes[1:]
		for _, other := range others {
			label(ctx, other, `""`)
			DeferCleanup(func(ctx SpecContext) { label(ctx, other, "null") })
		}
		s := stage.New(ctx)
		v4, v6 := take(stage.Spare.V4, massV4), take(stage.Spare.V6, mass-massV4)
		s.OwnPool(ctx, map[string]string{"range": v4.String() + "," + v6.String()})
		capture := stage.Capture(ctx)
		By("making them")
		exposeMany(ctx, s)
		addresses := append(list(v4, massV4), list(v6, mass-massV4)...)
		Eventually(capture.Claimed).WithContext(ctx).WithTimeout(massPatience).WithArguments(addresses).
			Should(Equal(map[string]int{victim: mass}))
		By("letting the others take addresses")
		for _, other := range others {
			label(ctx, other, "null")
		}
		Eventually(nodesThat).WithContext(ctx).WithArguments(hearsAllStand).Should(Equal(len(stage.Nodes)))

		By("crashing")
		machine := stage.Machine(ctx, victim)
		capture = stage.Capture(ctx)
		machine.Crash(ctx)
		Eventually(func(g Gomega) {
			claimed, err := capture.Claimed(addresses)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(claimed).NotTo(HaveKey(victim))
			sum := 0
			for _, count := range claimed {
				sum += count
			}
			g.Expect(sum).To(Equal(mass), "%v", claimed)
		}).WithContext(ctx).Should(Succeed())

		var first time.Time
		for _, address := range addresses {
			var said []claim.Claim
			Eventually(func() int {
				said = capture.Unasked(address, others...)
				return len(said)
			}).WithContext(ctx).Should(BeNumerically(">=", repeats), "announcements of %s", address)
			if at := said[0].At; first.IsZero() || at.Before(first) {
				first = at
			}
		}
		for _, address := range addresses {
			soon := 0
			for _, said := range capture.Unasked(address, others...) {
				if said.At.Before(first.Add(time.Second)) {
					soon++
				}
			}
			Expect(soon).To(BeNumerically("<", repeats), "announcements of %s in the first second: %v", address, capture.Unasked(address, others...))
		}
	}, SpecTimeout(2*massPatience))
})

// exposeMany makes the Services, without Pods.
func exposeMany(ctx SpecContext, s *scene.Scene) {
	GinkgoHelper()
	exposeAll(ctx, s, mass, func(number int) []scene.Change {
		family := corev1.IPv6Protocol
		if number < massV4 {
			family = corev1.IPv4Protocol
		}
		return []scene.Change{scene.Family(family), scene.NoNodePorts}
	})
}

// exposeAll makes n Services, several at a time.
func exposeAll(ctx SpecContext, s *scene.Scene, n int, changes func(number int) []scene.Change) {
	GinkgoHelper()
	numbers := make(chan int, n)
	for number := range n {
		numbers <- number
	}
	close(numbers)
	var group sync.WaitGroup
	for range makers {
		group.Go(func() {
			defer GinkgoRecover()
			for number := range numbers {
				s.Expose(ctx, fmt.Sprintf("web-%d", number), changes(number)...)
			}
		})
	}
	group.Wait()
}

// list returns the first n addresses of a range.
func list(from ground.Range, n int) []netip.Addr {
	var all []netip.Addr
	for address := from.From; len(all) < n; address = address.Next() {
		all = append(all, address)
	}
	return all
}

// hearsAllStand says that an announcer hears all others, and that they take
// addresses.
func hearsAllStand(view *scene.View) bool {
	standing := map[string]bool{}
	for _, member := range view.Members {
		if member.Standing && member.State == "Alive" {
			standing[member.Node] = true
		}
	}
	return len(standing) == len(stage.Nodes)-1
}
