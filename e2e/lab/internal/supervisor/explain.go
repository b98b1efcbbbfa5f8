package supervisor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/e2e/lab/internal/process"
)

// tailSize is how much of a log goes with a failure.
const tailSize = 3000

// explain says why the lab did not come up: the error, and the end of the log
// of the component that is to blame.
func (s *Supervisor) explain(ctx context.Context, err error) string {
	var text strings.Builder
	text.WriteString(err.Error())
	var exit *process.ExitError
	if errors.As(err, &exit) {
		appendTail(&text, exit.Log)
		return text.String()
	}
	if s.client == nil {
		for _, p := range s.table.list() {
			appendTail(&text, p.Spec.Log)
		}
		return text.String()
	}
	for _, pod := range s.unready(ctx) {
		fmt.Fprintf(&text, "\nPod %s on %s is %s", pod.Name, pod.Spec.NodeName, pod.Status.Phase)
		for _, container := range pod.Status.ContainerStatuses {
			if container.Ready {
				continue
			}
			fmt.Fprintf(&text, "\ncontainer %s: %s", container.Name, describe(container.State))
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
	tail, err := process.Tail(log, tailSize)
	if err != nil {
		fmt.Fprintf(text, "\nits log: %v", err)
		return
	}
	fmt.Fprintf(text, "\nthe end of %s:\n%s", log, tail)
}
