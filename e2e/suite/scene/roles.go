package scene

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/ground"
)

// Processes returns the processes of a role that run now, on one host or, with
// "", on all.
func (st *Stage) Processes(ctx context.Context, role ground.Role, host string) ([]ground.Process, error) {
	all, err := st.Roles.Processes(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(p ground.Process) bool {
		return p.Role != role || host != "" && p.Host != host
	}), nil
}

// Process returns the one process of a role on a node.
func (st *Stage) Process(ctx context.Context, role ground.Role, node string) ground.Process {
	GinkgoHelper()
	processes, err := st.Processes(ctx, role, node)
	Expect(err).NotTo(HaveOccurred())
	Expect(processes).To(HaveLen(1), "%s on %s", role, node)
	return processes[0]
}

// Signal sends a signal, by its name without SIG, to a process.
func (st *Stage) Signal(ctx context.Context, process ground.Process, signal string) {
	GinkgoHelper()
	_, err := st.run(ctx, process.Host, "kill", "-"+signal, strconv.Itoa(process.PID))
	Expect(err).NotTo(HaveOccurred())
}

// stallLimit is how long a stall of 50 ms may be in the end: a node is
// dead after 100 ms.
const stallLimit = 60 * time.Millisecond

// Stall stops a process for 50 ms. It fails the case if the machine was too busy
// to let it go on in time.
func (st *Stage) Stall(ctx context.Context, process ground.Process) {
	GinkgoHelper()
	output, err := st.run(ctx, process.Host, st.Probe, "stall", strconv.Itoa(process.PID))
	Expect(err).NotTo(HaveOccurred())
	var took time.Duration
	Expect(json.Unmarshal(output, &took)).To(Succeed())
	AddReportEntry("stall", took.String())
	Expect(took).To(BeNumerically("<", stallLimit), "the machine is too busy to tell")
}

// AwaitHeartbeats waits until each node has sent and received heartbeats that were
// not under way before.
func (st *Stage) AwaitHeartbeats(ctx context.Context) {
	GinkgoHelper()
	metrics := []string{"herald_heartbeats_sent_total", "herald_heartbeats_received_total"}
	counts := func(g Gomega) (counts []float64) {
		for _, node := range st.Nodes {
			for _, metric := range metrics {
				count, err := st.AgentMetric(ctx, node, metric, nil)
				g.Expect(err).NotTo(HaveOccurred())
				counts = append(counts, count)
			}
		}
		return counts
	}
	before := counts(Default)
	Eventually(func(g Gomega) {
		for i, count := range counts(g) {
			g.Expect(count).To(BeNumerically(">", before[i]))
		}
	}).WithContext(ctx).Should(Succeed())
}

// AwaitSuccessors waits until as many other processes are ready in the place
// of those that were killed.
func (st *Stage) AwaitSuccessors(ctx context.Context, killed ...ground.Process) {
	GinkgoHelper()
	was := func(process ground.Process) bool {
		return slices.ContainsFunc(killed, func(k ground.Process) bool { return k.PID == process.PID })
	}
	Eventually(func(g Gomega) {
		all, err := st.Roles.Processes(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		now := map[ground.Process]int{}
		for _, process := range all {
			if process.Ready && !was(process) {
				process.PID = 0
				now[process]++
			}
		}
		for _, process := range killed {
			process.PID, process.Ready = 0, true
			now[process]--
			g.Expect(now[process]).To(BeNumerically(">=", 0), "%s on %s", process.Role, process.Host)
		}
	}).WithContext(ctx).WithTimeout(recovery).Should(Succeed())
}
