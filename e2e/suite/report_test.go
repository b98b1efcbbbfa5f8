package suite

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// lastLines is how much of each log the report of a failed case holds.
const lastLines = 40

// state returns what may explain the failure of a case that began then: the neighbours of
// the client and of the nodes, what the roles said last, what the cluster warned of and, on
// kind, what the segment carried.
func state(ctx context.Context, begin time.Time) string {
	var text strings.Builder
	for _, host := range append([]string{stage.Client}, stage.Nodes...) {
		output, err := stage.Hosts.Command(ctx, host, "ip", "neighbour").CombinedOutput()
		section(&text, "ip neighbour on "+host, output, err)
	}
	logs, err := stage.Roles.Logs(ctx)
	if err != nil {
		section(&text, "logs of the roles", nil, err)
	}
	for _, name := range slices.Sorted(maps.Keys(logs)) {
		section(&text, name, tail(logs[name]), nil)
	}
	warned, err := warnings(ctx, begin)
	section(&text, "warnings", warned, err)
	if stage.Kind != nil {
		heard, err := stage.Kind.Heard(ctx, begin)
		section(&text, "the segment", heard, err)
	}
	return text.String()
}

// warnings are the cluster's events of that type since then, one a line.
func warnings(ctx context.Context, since time.Time) ([]byte, error) {
	events, err := stage.API.CoreV1().Events(metav1.NamespaceAll).List(ctx, metav1.ListOptions{FieldSelector: "type=" + corev1.EventTypeWarning})
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	for _, event := range events.Items {
		last := event.LastTimestamp.Time
		if last.IsZero() {
			last = event.EventTime.Time
		}
		if last.Before(since.Truncate(time.Second)) {
			continue
		}
		about := event.InvolvedObject
		fmt.Fprintf(&text, "%s %s %s/%s %s: %s\n", last.Format(time.TimeOnly), about.Kind, about.Namespace, about.Name, event.Reason, event.Message)
	}
	return tail(text.Bytes()), nil
}

func section(to *strings.Builder, title string, text []byte, err error) {
	fmt.Fprintf(to, "==> %s\n%s\n", title, text)
	if err != nil {
		fmt.Fprintln(to, err)
	}
}

func tail(text []byte) []byte {
	lines := bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-lastLines):], []byte("\n"))
}
