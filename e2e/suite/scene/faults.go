package scene

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/heraldlb/herald/e2e/suite/ground"
)

// recovery is how long a node may take until all of Herald's is ready again.
const recovery = 40 * time.Second

// Machine is a node that may crash.
type Machine struct {
	stage   *Stage
	node    string
	runs    []ground.Process
	crashed bool
}

// Machine returns a node as it is now.
func (st *Stage) Machine(ctx context.Context, node string) *Machine {
	GinkgoHelper()
	processes, err := st.Roles.Processes(ctx)
	Expect(err).NotTo(HaveOccurred())
	return &Machine{stage: st, node: node, runs: onHost(processes, node)}
}

// Crash ends the node without a last word. With the case it is started again.
func (m *Machine) Crash(ctx context.Context) {
	GinkgoHelper()
	m.crashed = true
	DeferCleanup(m.Boot)
	Expect(m.stage.Power.Off(ctx, m.node)).To(Succeed())
}

// Kill ends all that runs on the node, whose kernel lives on to tell: on kind.
func (m *Machine) Kill(ctx context.Context) {
	GinkgoHelper()
	m.crashed = true
	DeferCleanup(m.Boot)
	Expect(m.stage.Kind.Kill(ctx, m.node)).To(Succeed())
}

// ShutDown has docker stop the node: on kind.
func (m *Machine) ShutDown(ctx context.Context) {
	GinkgoHelper()
	m.crashed = true
	DeferCleanup(m.Boot)
	Expect(m.stage.Kind.ShutDown(ctx, m.node)).To(Succeed())
}

// Boot starts the node if it is down, and waits until Herald's processes there
// are ready.
func (m *Machine) Boot(ctx context.Context) {
	GinkgoHelper()
	if !m.crashed {
		return
	}
	m.crashed = false
	Expect(m.stage.Power.On(ctx, m.node)).To(Succeed())
	m.stage.AwaitSuccessors(ctx, m.runs...)
}

func onHost(processes []ground.Process, host string) []ground.Process {
	var there []ground.Process
	for _, process := range processes {
		if process.Host == host {
			there = append(there, process)
		}
	}
	return there
}

// Hang stops a component. What it returns has it go on, as the case's end does.
func (st *Stage) Hang(ctx context.Context, component ground.Component) (resume func(context.Context)) {
	GinkgoHelper()
	Expect(st.Components.Signal(ctx, component, syscall.SIGSTOP)).To(Succeed())
	hangs := true
	resume = func(ctx context.Context) {
		GinkgoHelper()
		if hangs {
			Expect(st.Components.Signal(ctx, component, syscall.SIGCONT)).To(Succeed())
			hangs = false
		}
	}
	DeferCleanup(resume)
	return resume
}

// Pause freezes a node, on kind. What it returns has it go on, as the case's end does.
func (st *Stage) Pause(ctx context.Context, node string) (resume func(context.Context)) {
	GinkgoHelper()
	Expect(st.Kind.Pause(ctx, node)).To(Succeed())
	paused := true
	resume = func(ctx context.Context) {
		GinkgoHelper()
		if paused {
			paused = false
			Expect(st.Kind.Resume(ctx, node)).To(Succeed())
		}
	}
	DeferCleanup(resume)
	return resume
}

// Cut keeps a host from those named, both ways, until what it returns is called,
// or the case ends. It takes the place of what was cut before.
func (st *Stage) Cut(ctx context.Context, host string, from ...string) (heal func(context.Context)) {
	GinkgoHelper()
	others := `{ "` + strings.Join(from, `", "`) + `" }`
	return st.Drop(ctx,
		fmt.Sprintf("iifname %q oifname %s drop", host, others),
		fmt.Sprintf("iifname %s oifname %q drop", others, host))
}

// CutOffServer keeps a host from the API server alone, whose host may be a node as well,
// until what it returns is called, or the case ends. It takes the place of what was cut
// before.
func (st *Stage) CutOffServer(ctx context.Context, host string) (heal func(context.Context)) {
	GinkgoHelper()
	const port = 6443
	return st.Drop(ctx,
		fmt.Sprintf("iifname %q tcp dport %d drop", host, port),
		fmt.Sprintf("oifname %q tcp sport %d drop", host, port))
}

// Drop makes the switch drop what nftables rules say, until what it returns is
// called, or the case ends.
func (st *Stage) Drop(ctx context.Context, rules ...string) (heal func(context.Context)) {
	GinkgoHelper()
	heal = func(ctx context.Context) {
		GinkgoHelper()
		Expect(st.Segment.Drop(ctx)).To(Succeed())
	}
	DeferCleanup(heal)
	Expect(st.Segment.Drop(ctx, rules...)).To(Succeed())
	return heal
}

// Others returns the nodes but one.
func (st *Stage) Others(node string) []string {
	var others []string
	for _, other := range st.Nodes {
		if other != node {
			others = append(others, other)
		}
	}
	return others
}

// AwaitNodeReady waits until the API says that a node is ready, or that it is not.
func (st *Stage) AwaitNodeReady(ctx context.Context, node string, ready bool) {
	GinkgoHelper()
	status := Equal(corev1.ConditionTrue)
	if !ready {
		status = Not(status)
	}
	Eventually(func(g Gomega) {
		object, err := st.API.CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(object.Status.Conditions).To(ContainElement(And(
			HaveField("Type", corev1.NodeReady), HaveField("Status", status))))
	}).WithContext(ctx).WithTimeout(recovery).Should(Succeed())
}

// Renew replaces Herald's Pod on a node: a kubelet waits ever longer until it
// starts a container again that keeps ending.
func (st *Stage) Renew(ctx context.Context, node string) {
	GinkgoHelper()
	lost, err := st.Roles.Processes(ctx)
	Expect(err).NotTo(HaveOccurred())
	pods := st.API.CoreV1().Pods(System)
	list, err := pods.List(ctx, metav1.ListOptions{
		LabelSelector: "app.kubernetes.io/component=node",
		FieldSelector: fields.OneTermEqualSelector("spec.nodeName", node).String(),
	})
	Expect(err).NotTo(HaveOccurred())
	for _, pod := range list.Items {
		Expect(pods.Delete(ctx, pod.Name, metav1.DeleteOptions{})).To(Succeed())
	}
	st.AwaitSuccessors(ctx, slices.DeleteFunc(onHost(lost, node), func(p ground.Process) bool { return p.Role == ground.Controller })...)
}
