package promtool_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/heraldlb/herald/e2e/suite/promtool"
)

const (
	component = "../../../deploy/components/observability/"
	docs      = "../../../docs/observability.md"
)

func shipped(t *testing.T) promtool.Rules {
	t.Helper()
	rules, err := promtool.ReadRules(component + "rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestCheck(t *testing.T) {
	rules := shipped(t)
	if err := rules.Check(t.Context()); err != nil {
		t.Error(err)
	}
	rules.Groups[0].Rules[0].Expr = "sum by herald_claims"
	if err := rules.Check(t.Context()); err == nil {
		t.Error("no expression, and admitted")
	}
}

// Each alert says how grave it is, what is wrong, and where it is told what to do.
func TestAlertsAreDocumented(t *testing.T) {
	text, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	var sections []string
	for _, match := range regexp.MustCompile(`(?m)^#+ (Herald\w+)$`).FindAllStringSubmatch(string(text), -1) {
		sections = append(sections, match[1])
	}
	var alerts []string
	for _, alert := range shipped(t).Alerts() {
		alerts = append(alerts, alert.Alert)
		if !slices.Contains([]string{"info", "warning", "critical"}, alert.Labels["severity"]) {
			t.Errorf("%s has severity %q", alert.Alert, alert.Labels["severity"])
		}
		if alert.For == "" || alert.Annotations["summary"] == "" || alert.Annotations["description"] == "" {
			t.Errorf("%s lacks for, summary or description", alert.Alert)
		}
		const page = "https://github.com/heraldlb/herald/blob/main/docs/observability.md#"
		if got, want := alert.Annotations["runbook_url"], page+strings.ToLower(alert.Alert); got != want {
			t.Errorf("%s: runbook %s, want %s", alert.Alert, got, want)
		}
		row := "| [" + alert.Alert + "](#" + strings.ToLower(alert.Alert) + ") | " + alert.Labels["severity"] + " | " + alert.For + " |"
		if !strings.Contains(string(text), row) {
			t.Errorf("the table has no row %s", row)
		}
	}
	if !slices.Equal(alerts, sections) {
		t.Errorf("alerts %v, sections %v", alerts, sections)
	}
}

// The engine sees an alert that is missing, and one too many.
func TestVerify(t *testing.T) {
	well := promtool.Phase{Before: promtool.Scrape{
		"herald_config_stale{}": 0, "herald_announcer_connected{}": 1,
		`herald_pool_addresses{pool="a"}`: 1.8446744073709552e+19, `herald_pool_addresses_used{pool="a"}`: 3,
		`herald_heartbeats_lost_total{node="a"}`: 7, `herald_heartbeats_received_total{node="a"}`: 1.5e+06,
	}}
	well.After = changed(well.Before, `herald_heartbeats_received_total{node="a"}`, 1.6e+06)
	stale := promtool.Phase{Before: well.Before, After: changed(well.After, "herald_config_stale{}", 1)}
	lossy := promtool.Phase{Before: well.Before, After: changed(well.After, `herald_heartbeats_lost_total{node="a"}`, 9e4)}
	away := promtool.Phase{Before: well.Before, After: changed(well.After, "herald_announcer_connected{}", 0)}
	unseen := promtool.Phase{}
	fires := func(phase promtool.Phase, name, severity string) promtool.Phase {
		phase.Firing = []promtool.Alert{{Name: name, Severity: severity}}
		return phase
	}
	for _, test := range []struct {
		name   string
		phases []promtool.Phase
		right  bool
	}{
		{"nothing", []promtool.Phase{well}, true},
		{"one that does not fire", []promtool.Phase{fires(well, "HeraldConfigStale", "warning")}, false},
		{"one that fires", []promtool.Phase{well, stale}, false},
		{"of another severity", []promtool.Phase{well, fires(stale, "HeraldConfigStale", "critical")}, false},
		{"and ends", []promtool.Phase{well, fires(stale, "HeraldConfigStale", "warning"), well}, true},
		{"by growth", []promtool.Phase{well, fires(lossy, "HeraldHeartbeatsLost", "warning"), well}, true},
		{"two", []promtool.Phase{fires(stale, "HeraldConfigStale", "warning"), fires(away, "HeraldAnnouncerAway", "critical")}, true},
		{"what is gone", []promtool.Phase{well, fires(unseen, "HeraldMetricsAbsent", "warning"), well}, true},
	} {
		if err := shipped(t).Verify(t.Context(), test.phases...); (err == nil) != test.right {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func changed(scrape promtool.Scrape, series string, value float64) promtool.Scrape {
	other := maps.Clone(scrape)
	other[series] = value
	return other
}
