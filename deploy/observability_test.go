package deploy

import (
	"maps"
	"os/exec"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// addMonitoring has the server know the kinds of the Prometheus Operator.
func (c *cluster) addMonitoring(t *testing.T) {
	t.Helper()
	const kinds = "testdata/monitoring.yaml"
	for _, args := range [][]string{
		{"apply", "-f", kinds},
		{"wait", "--for=condition=Established", "--timeout=30s", "-f", kinds},
	} {
		output, err := exec.CommandContext(t.Context(), c.kubectl, append(args, "--kubeconfig", c.kubeconfig)...).CombinedOutput()
		if err != nil {
			t.Fatalf("kubectl %v: %v\n%s", args, err, output)
		}
	}
}

// testObservability applies the component for good: the account whose token scrapes may
// read metrics, and not what else the agents' port tells.
func (c *cluster) testObservability(t *testing.T) {
	c.apply(t, compose(t, "components/observability"))
	everyone := c.rights(t, "nobody", "default")
	for _, namespace := range []string{"default", "herald-system"} {
		rights := c.rights(t, "herald-metrics", namespace)
		maps.DeleteFunc(rights, func(right string, _ bool) bool { return everyone[right] })
		if diff := cmp.Diff([]string{"get /metrics"}, slices.Sorted(maps.Keys(rights))); diff != "" {
			t.Errorf("rights in %s (-want +got):\n%s", namespace, diff)
		}
	}
}
