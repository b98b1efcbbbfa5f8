package scene

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"

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
