package failover

import (
	"context"
	"fmt"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"

	"github.com/heraldlb/herald/e2e/bench/outage"
	"github.com/heraldlb/herald/e2e/suite/ground"
)

// The faults whose targets differ.
const (
	announcerKilled    = "announcer killed"
	podDeleted         = "Pod deleted"
	nodeExcluded       = "node excluded"
	daemonSetRestarted = "DaemonSet restarted"
)

// hang is for how long an agent hangs.
const hang = 3 * time.Second

// AnnouncerKilled ends the announcer alone: the node goes on to pass packets on,
// so it is those who ask anew for the link-layer address that wait.
func (h *Herald) AnnouncerKilled(count int) Fault {
	return Fault{
		Name: announcerKilled, Count: count, Measures: Outage,
		Asked:   append(datagrams(), Asked{Kind: outage.Neighbour}),
		Inflict: h.signal(ground.Announcer, syscall.SIGKILL),
	}
}

// AgentKilled ends the agent alone.
func (h *Herald) AgentKilled(count int) Fault {
	return Fault{
		Name: "agent killed", Count: count, Measures: Lost, Stays: true,
		Asked: datagrams(), Inflict: h.signal(ground.Agent, syscall.SIGKILL),
	}
}

// signal ends a role's process, and waits for its successor afterwards.
func (h *Herald) signal(role ground.Role, signal syscall.Signal) func(context.Context, *Bench, string) (undo, error) {
	return func(ctx context.Context, _ *Bench, node string) (undo, error) {
		pid, err := h.process(ctx, node, role)
		if err != nil {
			return nil, err
		}
		if err := h.site.Signal(ctx, node, signal, pid); err != nil {
			return nil, err
		}
		return func(ctx context.Context) error {
			if err := h.ready(ctx, []int{pid}); err != nil {
				return err
			}
			return h.renew(ctx, node)
		}, nil
	}
}

// AgentHangs stops the agent for a while.
func (h *Herald) AgentHangs(count int) Fault {
	return Fault{
		Name: fmt.Sprintf("agent hangs for %s", hang), Count: count, Measures: Lost, Stays: true, Quiet: hang,
		Asked: datagrams(),
		Inflict: func(ctx context.Context, _ *Bench, node string) (undo, error) {
			pid, err := h.process(ctx, node, ground.Agent)
			if err != nil {
				return nil, err
			}
			return func(ctx context.Context) error {
				if err := h.site.Signal(ctx, node, syscall.SIGCONT, pid); err != nil {
					return err
				}
				return h.ready(ctx, nil)
			}, h.site.Signal(ctx, node, syscall.SIGSTOP, pid)
		},
	}
}

// AgentLoops kills the agent again whenever it has come back, so often.
func (h *Herald) AgentLoops(count int) Fault {
	const kills = 3
	return Fault{
		Name: fmt.Sprintf("agent killed %d times", kills), Count: count, Measures: Lost, Stays: true,
		Asked: datagrams(),
		Inflict: func(ctx context.Context, _ *Bench, node string) (undo, error) {
			for range kills {
				pid, err := h.process(ctx, node, ground.Agent)
				if err != nil {
					return nil, err
				}
				if err := h.site.Signal(ctx, node, syscall.SIGKILL, pid); err != nil {
					return nil, err
				}
				if err := h.ready(ctx, []int{pid}); err != nil {
					return nil, err
				}
			}
			return func(ctx context.Context) error { return h.renew(ctx, node) }, nil
		},
	}
}

// Drained deletes the Pod: its processes get a SIGTERM.
func (h *Herald) Drained(count int) Fault {
	return Fault{
		Name: podDeleted, Count: count, Measures: Lost,
		Asked: []Asked{{Kind: outage.Connection}, {Kind: outage.Kept}},
		Inflict: func(ctx context.Context, _ *Bench, node string) (undo, error) {
			dead, err := h.delete(ctx, node)
			return func(ctx context.Context) error { return h.ready(ctx, dead) }, err
		},
	}
}

// Excluded gives the node the label that keeps load balancers off it.
func (h *Herald) Excluded(count int) Fault {
	return Fault{
		Name: nodeExcluded, Count: count, Measures: Lost,
		Asked: []Asked{{Kind: outage.Connection}, {Kind: outage.Kept}},
		Inflict: func(ctx context.Context, b *Bench, node string) (undo, error) {
			if err := h.Exclude(ctx, node); err != nil {
				return nil, err
			}
			return func(ctx context.Context) error { return h.Include(ctx, node) }, b.moved(ctx, node)
		},
	}
}

// Exclude keeps Herald from announcing on a node, by its label, until Include.
func (h *Herald) Exclude(ctx context.Context, node string) error { return h.label(ctx, node, `""`) }

// Include undoes Exclude.
func (h *Herald) Include(ctx context.Context, node string) error { return h.label(ctx, node, "null") }

func (h *Herald) label(ctx context.Context, node, value string) error {
	const patch = `{"metadata":{"labels":{"node.kubernetes.io/exclude-from-external-load-balancers":%s}}}`
	_, err := h.site.API.CoreV1().Nodes().Patch(ctx, node, types.MergePatchType, fmt.Appendf(nil, patch, value), metav1.PatchOptions{})
	return err
}

// Rolled restarts the whole DaemonSet, node by node.
func (h *Herald) Rolled(count int) Fault {
	return Fault{
		Name: daemonSetRestarted, Count: count, Measures: Lost, Everywhere: true,
		Asked: []Asked{{Kind: outage.Connection}},
		Inflict: func(ctx context.Context, _ *Bench, _ string) (undo, error) {
			return func(context.Context) error { return nil }, h.restart(ctx)
		},
	}
}

// restart restarts the DaemonSet as kubectl rollout restart does, and waits until
// that is through.
func (h *Herald) restart(ctx context.Context) error {
	const patch = `{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":%q}}}}}`
	return h.change(ctx, fmt.Appendf(nil, patch, time.Now().Format(time.RFC3339Nano)))
}

// change patches the DaemonSet, and waits until all its Pods are new ones.
func (h *Herald) change(ctx context.Context, patch []byte) error {
	var dead []int
	processes, err := h.site.Roles.Processes(ctx)
	if err != nil {
		return err
	}
	for _, process := range processes {
		if process.Role != ground.Controller {
			dead = append(dead, process.PID)
		}
	}
	_, err = h.site.API.AppsV1().DaemonSets(HeraldNamespace).Patch(ctx, heraldDaemonSet, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return err
	}
	return h.ready(ctx, dead)
}

// renew replaces a Pod that was restarted before: the kubelet waits ever longer
// until it starts a container again that keeps ending.
func (h *Herald) renew(ctx context.Context, node string) error {
	pods, err := h.pods(ctx, node)
	if err != nil {
		return err
	}
	for _, pod := range pods {
		for _, container := range pod.Status.ContainerStatuses {
			if container.RestartCount > 0 {
				dead, err := h.delete(ctx, node)
				if err != nil {
					return err
				}
				return h.ready(ctx, dead)
			}
		}
	}
	return nil
}

// delete deletes the DaemonSet's Pod on a node, and returns the ids of its
// processes.
func (h *Herald) delete(ctx context.Context, node string) ([]int, error) {
	pods, err := h.pods(ctx, node)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, pod := range pods {
		for _, container := range pod.Status.ContainerStatuses {
			var pid int
			if _, err := fmt.Sscanf(container.ContainerID, "lab://%d", &pid); err == nil {
				pids = append(pids, pid)
			}
		}
		if err := h.site.API.CoreV1().Pods(HeraldNamespace).Delete(ctx, pod.Name, metav1.DeleteOptions{}); err != nil {
			return nil, err
		}
	}
	return pids, nil
}

// onNode selects what the scheduler bound to a node.
func onNode(node string) string { return fields.OneTermEqualSelector("spec.nodeName", node).String() }
