package scene

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// run runs a program on a host and returns what it prints. The error wraps
// that of exec and tells what went to standard error.
func (st *Stage) run(ctx context.Context, host string, args ...string) ([]byte, error) {
	var complaint strings.Builder
	cmd := st.Hosts.Command(ctx, host, args...)
	cmd.Stderr = &complaint
	output, err := cmd.Output()
	if err != nil {
		return output, fmt.Errorf("%s: %s: %w: %s", host, strings.Join(args, " "), err, complaint.String())
	}
	return output, nil
}

// Rubbish sends malformed frames about the addresses from the client.
func (st *Stage) Rubbish(ctx context.Context, addresses ...netip.Addr) {
	GinkgoHelper()
	args := []string{st.Probe, "rubbish", st.Interface}
	for _, address := range addresses {
		args = append(args, address.String())
	}
	_, err := st.run(ctx, st.Client, args...)
	Expect(err).NotTo(HaveOccurred())
}

// CommandLine runs the herald program as an administrator would, and returns what
// it prints.
func (st *Stage) CommandLine(ctx context.Context, args ...string) string {
	GinkgoHelper()
	cmd, err := st.Herald(ctx, args...)
	Expect(err).NotTo(HaveOccurred())
	cmd.Stderr = GinkgoWriter
	output, err := cmd.Output()
	Expect(err).NotTo(HaveOccurred(), "herald %s", strings.Join(args, " "))
	return string(output)
}
