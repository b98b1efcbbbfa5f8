package supervisor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/e2e/lab/internal/process"
	"github.com/heraldlb/herald/e2e/lab/internal/tail"
)

// tailSize is how much of a log goes with a failure.
const tailSize = 2000

// explain says why the lab did not come up: the error, and the end of the log
// of the component that is to blame.
func (s *Supervisor) explain(ctx context.Context, err error) string {
	var text strings.Builder
	text.WriteString(err.Error())
	if exit, ok := errors.AsType[*process.ExitError](err); ok {
		appendTail(&text, exit.Log)
		return text.String()
	}
	if s.client == nil {
		for _, p := range s.table.list() {
			appendTail(&text, p.Spec.Log)
		}
		return text.String()
	}
	explained := map[string]bool{} // one replica of a container is enough
	for _, pod := range s.unready(ctx) {
		for _, container := range pod.Status.ContainerStatuses {
			if container.Ready || explained[container.Name] {
				continue
			}
			explained[container.Name] = true
			fmt.Fprintf(&text, "\ncontainer %s of Pod %s on %s: %s", container.Name, pod.Name, pod.Spec.NodeName, describe(container.State))
			appendTail(&text, logFile(pod.Spec.NodeName, pod.Name+"_"+container.Name))
		}
	}
	return text.String()
}

func describe(state corev1.ContainerState) string {
	switch {
	case state.Waiting != nil:
		return state.Waiting.Reason + " " + state.Waiting.Message
	case state.Terminated != nil:
		return fmt.Sprintf("ended with exit code %d", state.Terminated.ExitCode)
	default:
		return "running, not ready"
	}
}

func appendTail(text *strings.Builder, log string) {
	lines, err := tail.Bytes(log, tailSize)
	if err != nil {
		fmt.Fprintf(text, "\nits log: %v", err)
		return
	}
	fmt.Fprintf(text, "\nthe end of %s:\n%s", log, lines)
}

// unready returns those of Herald's Pods that are not ready.
func (s *Supervisor) unready(ctx context.Context) []*corev1.Pod {
	pods, err := s.client.CoreV1().Pods(heraldNamespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil
	}
	var unready []*corev1.Pod
	for i := range pods.Items {
		for _, condition := range pods.Items[i].Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status != corev1.ConditionTrue {
				unready = append(unready, &pods.Items[i])
			}
		}
	}
	return unready
}
