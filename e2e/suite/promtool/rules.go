package promtool

import (
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

// Rules are those of a PrometheusRule.
type Rules struct {
	Groups []Group `json:"groups"`
}

// Group is one of a rule file's.
type Group struct {
	Name  string `json:"name"`
	Rules []Rule `json:"rules"`
}

// Rule is an alert, or a recording.
type Rule struct {
	Alert       string            `json:"alert,omitempty"`
	Record      string            `json:"record,omitempty"`
	Expr        string            `json:"expr"`
	For         string            `json:"for,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// ReadRules reads a PrometheusRule.
func ReadRules(path string) (Rules, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Rules{}, err
	}
	var object struct {
		APIVersion string         `json:"apiVersion"`
		Kind       string         `json:"kind"`
		Metadata   map[string]any `json:"metadata"`
		Spec       Rules          `json:"spec"`
	}
	if err := yaml.UnmarshalStrict(text, &object); err != nil {
		return Rules{}, fmt.Errorf("%s: %w", path, err)
	}
	return object.Spec, nil
}

// Alerts are the rules that are alerts.
func (r Rules) Alerts() []Rule {
	var alerts []Rule
	for _, group := range r.Groups {
		for _, rule := range group.Rules {
			if rule.Alert != "" {
				alerts = append(alerts, rule)
			}
		}
	}
	return alerts
}

// Expressions returns rules that record what expressions give.
func Expressions(expressions ...string) Rules {
	group := Group{Name: "expressions"}
	for i, expression := range expressions {
		group.Rules = append(group.Rules, Rule{Record: fmt.Sprintf("expression:%d", i), Expr: expression})
	}
	return Rules{Groups: []Group{group}}
}
