package scene

import (
	"bufio"
	"context"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// Capture is a tcpdump on the client of who says that it has an address.
type Capture struct {
	stage  *Stage
	cmd    *exec.Cmd
	output *strings.Builder
}

// Capture begins a capture, and returns once tcpdump listens.
func (st *Stage) Capture(ctx context.Context, address netip.Addr) *Capture {
	GinkgoHelper()
	filter := "arp[6:2] == 2 and arp src host " + address.String()
	if address.Is6() {
		// The target of a neighbour advertisement is 8 bytes behind its type.
		filter = "icmp6 and ip6[40] == 136 and ip6 host " + address.String()
	}
	// Its output is the capture itself: who sent it stands in each frame.
	cmd := st.Hosts.Command(ctx, st.Client, "tcpdump", "-n", "-e", "-l", "--immediate-mode", "-i", st.Interface, filter)
	c := &Capture{stage: st, cmd: cmd, output: &strings.Builder{}}
	cmd.Stdout = c.output
	complaints, err := cmd.StderrPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(cmd.Start()).To(Succeed())
	lines := bufio.NewScanner(complaints)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "listening on") {
			return c
		}
	}
	Expect(cmd.Wait()).To(Succeed())
	Fail("tcpdump does not listen")
	return nil
}

// Stop ends the capture and returns the nodes that sent what it saw.
func (c *Capture) Stop() ([]string, error) {
	if err := c.cmd.Process.Signal(syscall.SIGINT); err != nil {
		return nil, err
	}
	if err := c.cmd.Wait(); err != nil {
		return nil, err
	}
	nodes := []string{}
	for line := range strings.Lines(c.output.String()) {
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
