package scene

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os/exec"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// Flow is a steady flow of requests from a host.
type Flow struct {
	cmd *exec.Cmd
	end io.Closer
	out io.Reader
}

// Summary tells what became of a flow.
type Summary struct {
	Sent int
	// Lost is how many requests got no answer, or only after TCP had sent a
	// packet again; Losses are the first of them.
	Lost    int
	Losses  []Loss
	Slowest time.Duration
	// Outage is the longest time between the begins of two requests that lost nothing,
	// with none such between.
	Outage time.Duration
}

// Loss tells of a request that lost a packet, or got no answer.
type Loss struct {
	// Began is when the request began, counted from the flow's begin.
	Began time.Duration
	// Source is the client's end of the connection: what a capture and the
	// nodes' records of connections know the request by.
	Source netip.AddrPort
	// Resent is how many packets TCP sent again.
	Resent int
	// Error is why there was no answer.
	Error string
}

// String is a line of what a case says that failed.
func (l Loss) String() string {
	return fmt.Sprintf("after %s, from %s: %d packets sent again %s\n", l.Began.Round(time.Millisecond), l.Source, l.Resent, l.Error)
}

// Flow begins a flow of requests from the client, which goes on until Stop.
func (st *Stage) Flow(ctx context.Context, address netip.Addr, port uint16) *Flow {
	GinkgoHelper()
	return st.FlowFrom(ctx, st.Client, address, port)
}

// FlowFrom is Flow from another host.
func (st *Stage) FlowFrom(ctx context.Context, host string, address netip.Addr, port uint16) *Flow {
	GinkgoHelper()
	st.forgetConnections(ctx, address)
	cmd := st.Hosts.Command(ctx, host, st.Probe, "flow", url(address, port))
	cmd.Stderr = GinkgoWriter
	end, err := cmd.StdinPipe()
	Expect(err).NotTo(HaveOccurred())
	out, err := cmd.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(cmd.Start()).To(Succeed())
	return &Flow{cmd: cmd, end: end, out: out}
}

// forgetConnections makes the nodes forget connections to an address that
// others began, of this case or of one before it.
//
// A node decides on a connection's first packet where it leads, and keeps to
// that. One that came before kube-proxy had its rules, or after, leads nowhere
// for two minutes (nf_conntrack_tcp_timeout_syn_sent). The client's kernel
// draws its ports anew every 10 s: of hundreds of requests, one may well come
// from the port of such a connection, and would be lost with it.
func (st *Stage) forgetConnections(ctx context.Context, address netip.Addr) {
	GinkgoHelper()
	for _, node := range st.Nodes {
		_, err := st.run(ctx, node, st.Probe, "forget", address.String())
		Expect(err).NotTo(HaveOccurred())
	}
}

// Stop ends the flow and returns what became of it.
func (f *Flow) Stop() Summary {
	GinkgoHelper()
	Expect(f.end.Close()).To(Succeed())
	var summary Summary
	Expect(json.NewDecoder(f.out).Decode(&summary)).To(Succeed())
	Expect(f.cmd.Wait()).To(Succeed())
	AddReportEntry("flow", strconv.Itoa(summary.Sent)+" requests, the slowest "+summary.Slowest.String())
	return summary
}

// retransmission is TCP's wait before it sends a first packet again (RFC 6298
// section 2). What waits for a neighbour as long is not sent again, nor lost.
const retransmission = time.Second

// Unharmed fails the case if a request of the flow got no answer, lost a
// packet, or took as long as if it had.
func (s Summary) Unharmed() {
	GinkgoHelper()
	s.Lose(0)
	Expect(s.Slowest).To(BeNumerically("<", retransmission), "the slowest of %d requests", s.Sent)
}

// Lose fails the case if more requests of the flow lost a packet or got no
// answer than may.
func (s Summary) Lose(atMost int) {
	GinkgoHelper()
	Expect(s.Sent).To(BeNumerically(">", 10), "requests of the flow")
	Expect(s.Lost).To(BeNumerically("<=", atMost), "of %d requests, the first that lost packets:\n%v", s.Sent, s.Losses)
}
