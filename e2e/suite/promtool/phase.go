package promtool

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The clock of phases: each lasts for longer than any alert waits before it fires.
const (
	step  = 30 * time.Second
	steps = 50
)

// Phase is a state that lasts: Before and After were scraped in it, and it goes on as from the
// one to the other.
type Phase struct {
	Before, After Scrape
	// Firing are the alerts that are to fire at its end, and no others.
	Firing []Alert
	// Give are expressions that are to have a value then.
	Give []string
}

// Alert is one that fires.
type Alert struct{ Name, Severity string }

// test is a file of promtool test rules.
type test struct {
	RuleFiles          []string `json:"rule_files"`
	EvaluationInterval string   `json:"evaluation_interval"`
	Tests              []unit   `json:"tests"`
}

type unit struct {
	Interval       string       `json:"interval"`
	InputSeries    []input      `json:"input_series"`
	PromqlExprTest []expression `json:"promql_expr_test"`
}

type input struct {
	Series string `json:"series"`
	Values string `json:"values"`
}

type expression struct {
	Expr       string   `json:"expr"`
	EvalTime   string   `json:"eval_time"`
	ExpSamples []sample `json:"exp_samples"`
}

type sample struct {
	Labels string  `json:"labels"`
	Value  float64 `json:"value"`
}

func newTest(phases []Phase) test {
	u := unit{Interval: step.String()}
	all := map[string]bool{}
	for _, phase := range phases {
		for key := range phase.After {
			all[key] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		u.InputSeries = append(u.InputSeries, input{Series: key, Values: values(key, phases)})
	}
	for i, phase := range phases {
		end := time.Duration((i+1)*steps-1) * step
		u.PromqlExprTest = append(u.PromqlExprTest, firing(end, phase.Firing))
		for _, give := range phase.Give {
			u.PromqlExprTest = append(u.PromqlExprTest, expression{
				Expr: "count(" + give + ") > bool 0", EvalTime: end.String(), ExpSamples: []sample{{Labels: "{}", Value: 1}},
			})
		}
		if i == 0 || len(phases[i-1].Firing) == 0 {
			// None fires at the first sight.
			u.PromqlExprTest = append(u.PromqlExprTest, firing(time.Duration(i*steps)*step, nil))
		}
	}
	return test{RuleFiles: []string{rulesFile}, EvaluationInterval: step.String(), Tests: []unit{u}}
}

// firing expects these alerts to fire at a time, and no others.
func firing(at time.Duration, alerts []Alert) expression {
	e := expression{
		Expr: `group by (alertname, severity) (ALERTS{alertstate="firing"})`, EvalTime: at.String(), ExpSamples: []sample{},
	}
	for _, alert := range alerts {
		e.ExpSamples = append(e.ExpSamples, sample{Labels: fmt.Sprintf("{alertname=%q,severity=%q}", alert.Name, alert.Severity), Value: 1})
	}
	return e
}

// values are those of a series in all phases, in promtool's notation. What counts goes on from
// phase to phase, so that the hurried clock resets nothing.
func values(key string, phases []Phase) string {
	var text []string
	var last, offset float64
	there := false
	for _, phase := range phases {
		after, present := phase.After[key]
		switch {
		case !present && there:
			text = append(text, fmt.Sprint("stale _x", steps-1))
		case !present:
			text = append(text, fmt.Sprint("_x", steps))
		case !counts(key):
			text = append(text, line(after, 0))
		default:
			before, known := phase.Before[key]
			if !known {
				before = after
			}
			growth := max(0, after-before)
			if there {
				offset = max(offset, last-before)
			}
			text = append(text, line(before+offset, growth))
			last = before + offset + growth*(steps-1)
		}
		there = present
	}
	return strings.Join(text, " ")
}

// line is a value that grows by so much at each step.
func line(from, growth float64) string {
	number := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
	return fmt.Sprintf("%s+%sx%d", number(from), number(growth), steps-1)
}
