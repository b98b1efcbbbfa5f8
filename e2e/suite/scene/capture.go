package scene

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/claim"
)

// Capture is a record, made on the client, of who said on the segment that it
// has which address. It ends with the case.
//
// It is made by package claim: tcpdump, which shows the same to a reader, does
// not run in the user namespace that a lab of an ordinary user is in.
type Capture struct {
	stage *Stage

	mu     sync.Mutex
	claims map[netip.Addr][]claim.Claim
}

// Capture begins a record, and returns once nothing is missed any more.
func (st *Stage) Capture(ctx context.Context) *Capture {
	GinkgoHelper()
	cmd := st.Hosts.Command(ctx, st.Client, st.Probe, "claims", st.Interface)
	cmd.Stderr = GinkgoWriter
	output, err := cmd.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(cmd.Start()).To(Succeed())
	DeferCleanup(func() {
		Expect(cmd.Process.Kill()).To(Succeed())
		Expect(cmd.Wait()).To(BeAssignableToTypeOf(&exec.ExitError{}))
	})
	c := &Capture{stage: st, claims: map[netip.Addr][]claim.Claim{}}
	decoder := json.NewDecoder(output)
	var listening claim.Claim
	Expect(decoder.Decode(&listening)).To(Succeed())
	go c.record(decoder)
	return c
}

// record returns when the program ends.
func (c *Capture) record(from *json.Decoder) {
	for {
		var heard claim.Claim
		if from.Decode(&heard) != nil {
			return
		}
		c.mu.Lock()
		c.claims[heard.Address] = append(c.claims[heard.Address], heard)
		c.mu.Unlock()
	}
}

// Nodes returns the nodes that said that they have an address so far, in the
// order in which they first did.
func (c *Capture) Nodes(address netip.Addr) ([]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	nodes := []string{}
	for _, claim := range c.claims[address] {
		node, err := c.stage.nodeOf(claim.MAC)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(nodes, node) {
			nodes = append(nodes, node)
		}
	}
	return nodes, nil
}

// Claimed counts the addresses, of those given, that each node was the last to say
// that it has.
func (c *Capture) Claimed(addresses []netip.Addr) (map[string]int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := map[string]int{}
	for _, address := range addresses {
		claims := c.claims[address]
		if len(claims) == 0 {
			continue
		}
		node, err := c.stage.nodeOf(claims[len(claims)-1].MAC)
		if err != nil {
			return nil, err
		}
		counts[node]++
	}
	return counts, nil
}

// Unasked returns what some nodes said of an address that nobody had asked for, in
// order.
func (c *Capture) Unasked(address netip.Addr, nodes ...string) []claim.Claim {
	c.mu.Lock()
	defer c.mu.Unlock()
	var unasked []claim.Claim
	for _, claim := range c.claims[address] {
		if node, err := c.stage.nodeOf(claim.MAC); err == nil && claim.Unasked && slices.Contains(nodes, node) {
			unasked = append(unasked, claim)
		}
	}
	return unasked
}

// Announced returns the node that was the last to announce an address.
func (c *Capture) Announced(address netip.Addr) (string, error) {
	announcements := c.Unasked(address, c.stage.Nodes...)
	if len(announcements) == 0 {
		return "", fmt.Errorf("nobody announced %s", address)
	}
	return c.stage.nodeOf(announcements[len(announcements)-1].MAC)
}

// OnlyBy fails the case if any other node than its owner said that it has one of
// the addresses.
func (c *Capture) OnlyBy(owners Owners) {
	GinkgoHelper()
	for address, owner := range owners {
		Expect(c.Nodes(address)).To(Or(BeEmpty(), Equal([]string{owner})), "who said to have %s", address)
	}
}
