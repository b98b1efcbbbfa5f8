package kubelet

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// scripted answers exec probes from a script, and then ends the test.
type scripted struct {
	answers []bool
	over    func()
}

func (s *scripted) run(context.Context, context.Context, func(int)) (int32, error) { return 0, nil }

func (s *scripted) exec(context.Context, []string) error {
	if len(s.answers) == 0 {
		s.over()
		return nil
	}
	answer := s.answers[0]
	s.answers = s.answers[1:]
	if answer {
		return nil
	}
	return errors.New("no")
}

func TestProbe(t *testing.T) {
	const y, n = true, false
	for name, test := range map[string]struct {
		verdict bool // at the start
		answers []bool
		want    []bool
		took    time.Duration
	}{
		"live":                         {verdict: y, answers: []bool{y, n, n, y}, took: 4 * 10 * time.Second},
		"dead after the threshold":     {verdict: y, answers: []bool{y, n, n, n}, want: []bool{n}, took: 4 * 10 * time.Second},
		"ready at once":                {answers: []bool{y}, want: []bool{y}, took: 10 * time.Second},
		"asked often until it is":      {answers: []bool{n, n, n, n, y}, want: []bool{y}, took: 4*eager + 10*time.Second},
		"ready, not ready, and again":  {answers: []bool{y, n, n, n, y}, want: []bool{y, n, y}, took: 5 * 10 * time.Second},
		"failures must be in a series": {answers: []bool{y, n, n, y, n, n, y}, want: []bool{y}, took: 7 * 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				probe := &corev1.Probe{PeriodSeconds: 10, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: 3}
				probe.Exec = &corev1.ExecAction{}
				p := &prober{workload: &scripted{answers: test.answers, over: cancel}}
				var got []bool
				begin := time.Now()
				p.watch(ctx, probe, test.verdict, func(verdict bool) { got = append(got, verdict) })
				if !slices.Equal(got, test.want) {
					t.Errorf("verdicts %v, want %v", got, test.want)
				}
				if took := time.Since(begin); took != test.took {
					t.Errorf("took %s, want %s", took, test.took)
				}
			})
		})
	}
}
