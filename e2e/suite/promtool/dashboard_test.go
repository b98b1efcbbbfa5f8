package promtool_test

import (
	"strings"
	"testing"

	"github.com/heraldlb/herald/e2e/suite/promtool"
)

// Each panel asks something, and Prometheus understands it.
func TestDashboard(t *testing.T) {
	dashboard, err := promtool.ReadDashboard(component + "dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	expressions := dashboard.Expressions()
	if len(expressions) < len(dashboard.Panels)/2 {
		t.Fatalf("%d expressions in %d panels", len(expressions), len(dashboard.Panels))
	}
	if err := promtool.Expressions(expressions...).Check(t.Context()); err != nil {
		t.Error(err)
	}
	for _, expression := range expressions {
		if strings.Contains(expression, "$") || len(promtool.Metrics(expression)) == 0 {
			t.Errorf("a variable, or no metric: %s", expression)
		}
	}
}
