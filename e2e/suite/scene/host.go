package scene

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

// Forge sends bad datagrams of a family, IPv4 or IPv6, to the port of heartbeats
// from the client.
func (st *Stage) Forge(ctx context.Context, family string) {
	GinkgoHelper()
	_, err := st.run(ctx, st.Client, st.Probe, "forge", st.Interface, family, st.Cluster(ctx))
	Expect(err).NotTo(HaveOccurred())
}

// Flood sends many of them, for a while.
func (st *Stage) Flood(ctx context.Context) {
	GinkgoHelper()
	sent, err := st.run(ctx, st.Client, st.Probe, "flood", st.Interface, st.Cluster(ctx))
	Expect(err).NotTo(HaveOccurred())
	AddReportEntry("datagrams sent", strings.TrimSpace(string(sent)))
}

// Pose has the client send heartbeats in the name of a node until the case ends.
func (st *Stage) Pose(ctx context.Context, node string) {
	GinkgoHelper()
	cmd := st.Hosts.Command(ctx, st.Client, st.Probe, "pose", st.Interface, st.Cluster(ctx), node)
	cmd.Stderr = GinkgoWriter
	_, err := cmd.StdinPipe() // it ends with its input, too
	Expect(err).NotTo(HaveOccurred())
	Expect(cmd.Start()).To(Succeed())
	DeferCleanup(func() {
		Expect(cmd.Process.Kill()).To(Succeed())
		Expect(cmd.Wait()).To(BeAssignableToTypeOf(&exec.ExitError{}))
	})
}

// Cluster returns the cluster's name as heartbeats have it.
func (st *Stage) Cluster(ctx context.Context) string {
	GinkgoHelper()
	namespace, err := st.API.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	Expect(err).NotTo(HaveOccurred())
	return string(namespace.UID)
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
