package promtool

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// Dashboard is what of Grafana's is queried.
type Dashboard struct {
	Panels []struct {
		Title   string `json:"title"`
		Targets []struct {
			Expr string `json:"expr"`
		} `json:"targets"`
	} `json:"panels"`
}

// ReadDashboard reads a dashboard.
func ReadDashboard(path string) (Dashboard, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Dashboard{}, err
	}
	var d Dashboard
	if err := json.Unmarshal(text, &d); err != nil {
		return Dashboard{}, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

// Expressions are those of all panels, as Grafana asks them where all is selected.
func (d Dashboard) Expressions() []string {
	variables := strings.NewReplacer("$__rate_interval", "2m", "$namespace", ".*", "$node", ".*")
	var all []string
	for _, panel := range d.Panels {
		for _, target := range panel.Targets {
			all = append(all, variables.Replace(target.Expr))
		}
	}
	return all
}

// Metrics are the names of the metrics that expressions select, of which each has its labels
// in braces.
func Metrics(expressions ...string) []string {
	var names []string
	for _, expression := range expressions {
		for _, match := range regexp.MustCompile(`([a-z_:]+)\{`).FindAllStringSubmatch(expression, -1) {
			names = append(names, match[1])
		}
	}
	return names
}
