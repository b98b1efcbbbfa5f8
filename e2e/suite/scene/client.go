package scene

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// Answer is what a Pod says of a request.
type Answer struct {
	Pod  string `json:"pod"`
	Node string `json:"node"`
	// Client is the address that the request came from.
	Client netip.Addr `json:"client"`
}

// Get asks a Pod by HTTP, with a curl on a host.
func (st *Stage) Get(ctx context.Context, host string, address netip.Addr, port uint16) (Answer, error) {
	return parse(st.run(ctx, host, "curl", "--silent", "--show-error", "--fail", "--connect-timeout", "0.5", "--max-time", "2", url(address, port)))
}

// GetAll asks Pods at many addresses at once from the client, and returns
// those that did not answer.
func (st *Stage) GetAll(ctx context.Context, addresses []netip.Addr, port uint16) ([]string, error) {
	args := []string{
		"curl", "--silent", "--parallel", "--parallel-immediate", "--max-time", "3",
		"--write-out", "%{http_code} %{url}\\n",
	}
	for _, address := range addresses {
		args = append(args, "--output", "/dev/null", url(address, port))
	}
	output, err := st.run(ctx, st.Client, args...)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) { // it exits non-zero where one does not answer
		return nil, err
	}
	var failed []string
	answers := 0
	for line := range strings.Lines(string(output)) {
		answers++
		if !strings.HasPrefix(line, "200 ") {
			failed = append(failed, strings.TrimSpace(line))
		}
	}
	if answers != len(addresses) {
		return nil, fmt.Errorf("curl told of %d of %d addresses: %w", answers, len(addresses), err)
	}
	return failed, nil
}

// Reach waits until a host gets an answer by HTTP, and returns it.
func (st *Stage) Reach(ctx context.Context, host string, address netip.Addr, port uint16) Answer {
	GinkgoHelper()
	var answer Answer
	Eventually(func() (err error) {
		answer, err = st.Get(ctx, host, address, port)
		return err
	}).WithContext(ctx).Should(Succeed(), "%s asks %s", host, netip.AddrPortFrom(address, port))
	return answer
}

// ReachUDP sends datagrams from the client until one is answered, and returns
// the answer.
func (st *Stage) ReachUDP(ctx context.Context, address netip.Addr, port uint16) Answer {
	GinkgoHelper()
	answer, err := parse(st.run(ctx, st.Client, st.Probe, "udp", netip.AddrPortFrom(address, port).String(), "hello"))
	Expect(err).NotTo(HaveOccurred())
	return answer
}

func parse(text []byte, err error) (Answer, error) {
	var answer Answer
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return answer, fmt.Errorf("the answer %q: %w", text, err)
	}
	return answer, nil
}

func url(address netip.Addr, port uint16) string {
	return "http://" + netip.AddrPortFrom(address, port).String() + "/"
}

// Source returns the address that a host speaks from to another.
func (st *Stage) Source(ctx context.Context, host string, to netip.Addr) (netip.Addr, error) {
	output, err := st.run(ctx, host, "ip", "-json", "route", "get", to.String())
	if err != nil {
		return netip.Addr{}, err
	}
	var routes []struct {
		Source netip.Addr `json:"prefsrc"`
	}
	if err := json.Unmarshal(output, &routes); err != nil || len(routes) != 1 {
		return netip.Addr{}, fmt.Errorf("route from %s to %s: %w: %s", host, to, err, output)
	}
	return routes[0].Source, nil
}

// Flow is a steady flow of requests from the client.
type Flow struct {
	cmd *exec.Cmd
	end io.Closer
	out io.Reader
}

// Summary tells what became of a flow.
type Summary struct {
	Sent, Failed int
	FirstError   string
	Slowest      time.Duration
}

// Flow begins a flow of requests, which goes on until Stop.
func (st *Stage) Flow(ctx context.Context, address netip.Addr, port uint16) *Flow {
	GinkgoHelper()
	cmd := st.Hosts.Command(ctx, st.Client, st.Probe, "flow", url(address, port))
	cmd.Stderr = GinkgoWriter
	end, err := cmd.StdinPipe()
	Expect(err).NotTo(HaveOccurred())
	out, err := cmd.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(cmd.Start()).To(Succeed())
	return &Flow{cmd: cmd, end: end, out: out}
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

// retransmission is TCP's wait before it sends a first packet again: a request
// that took less lost none (RFC 6298 section 2).
const retransmission = time.Second

// Unharmed fails the case if a request of the flow got no answer, or lost a
// packet.
func (s Summary) Unharmed() {
	GinkgoHelper()
	Expect(s.Sent).To(BeNumerically(">", 10), "requests of the flow")
	Expect(s.Failed).To(BeZero(), "%d of %d requests failed, the first with %s", s.Failed, s.Sent, s.FirstError)
	Expect(s.Slowest).To(BeNumerically("<", retransmission), "the slowest of %d requests", s.Sent)
}
