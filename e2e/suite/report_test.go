package suite

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// lastLines is how much of each log the report of a failed case holds.
const lastLines = 40

// state returns what may explain a failure: the neighbours of the client and
// of the nodes, and what the roles said last.
func state(ctx context.Context) string {
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
	return text.String()
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
