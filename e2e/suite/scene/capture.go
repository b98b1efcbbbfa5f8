package scene

import (
	"bufio"
	"context"
	"net/netip"
	"os/exec"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
)

// Capture is a tcpdump on the client of who says that it has an address. It
// ends with the case.
type Capture struct {
	stage *Stage
	lines *gbytes.Buffer
}

// Capture begins a capture, and returns once tcpdump listens.
func (st *Stage) Capture(ctx context.Context, address netip.Addr) *Capture {
	GinkgoHelper()
	filter := "arp[6:2] == 2 and arp src host " + address.String()
	if address.Is6() {
		// An ICMPv6 header comes right behind the IPv6 header here: a
		// neighbour advertisement is of type 136.
		filter = "icmp6 and ip6[40] == 136 and ip6 src host " + address.String()
	}
	// As root to the end: a change of user would undo that it dies with us.
	cmd := st.Hosts.Command(ctx, st.Client, "tcpdump", "-Z", "root", "-n", "-e", "-l", "--immediate-mode", "-i", st.Interface, filter)
	c := &Capture{stage: st, lines: gbytes.NewBuffer()}
	cmd.Stdout = c.lines
	complaints, err := cmd.StderrPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(cmd.Start()).To(Succeed())
	DeferCleanup(func() {
		Expect(cmd.Process.Kill()).To(Succeed())
		Expect(cmd.Wait()).To(BeAssignableToTypeOf(&exec.ExitError{}))
	})
	heard := bufio.NewScanner(complaints)
	for heard.Scan() {
		if strings.HasPrefix(heard.Text(), "listening on") {
			return c
		}
	}
	Fail("tcpdump does not listen")
	return nil
}

// Nodes returns the nodes that sent what was captured so far.
func (c *Capture) Nodes() ([]string, error) {
	nodes := []string{}
	for line := range strings.Lines(string(c.lines.Contents())) {
		// With -e a line begins with the time and the sender.
		node, err := c.stage.nodeOf(hardware.FindString(line))
		if err != nil {
			return nil, err
		}
		if !slices.Contains(nodes, node) {
			nodes = append(nodes, node)
		}
	}
	return nodes, nil
}
