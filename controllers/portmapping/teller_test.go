package portmapping

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// notes remembers the reasons of events.
type notes []string

// Eventf implements events.EventRecorder.
func (n *notes) Eventf(_, _ runtime.Object, _, reason, _, _ string, _ ...any) { //nolint:revive // the interface is client-go's
	*n = append(*n, reason)
}

func TestWarn(t *testing.T) {
	var told notes
	teller := &teller{events: &told, told: make(map[types.UID]*telling)}
	svc := service("web", 0, "192.0.2.1")
	now := time.Unix(1_000_000, 0)
	problem := outcome{reason: eventConflict, problem: "taken"}

	_, again := teller.warn(svc, problem, now)
	if len(told) > 0 || !again.Equal(now.Add(patience)) {
		t.Errorf("at once: %v, again %v", told, again.Sub(now))
	}
	for range 3 { // told once
		now = now.Add(patience)
		if _, again = teller.warn(svc, problem, now); len(told) != 1 || !again.IsZero() {
			t.Errorf("after a while: %v, again %v", told, again)
		}
	}
	if recovered, _ := teller.warn(svc, outcome{}, now); !recovered {
		t.Error("that it is over is not noticed")
	}
	if recovered, _ := teller.warn(svc, outcome{}, now); recovered {
		t.Error("it is over twice")
	}
	// What is over before it was told was none.
	teller.warn(svc, problem, now)
	if recovered, _ := teller.warn(svc, outcome{}, now.Add(time.Second)); recovered || len(told) != 1 {
		t.Errorf("a short one: %v, %v", told, recovered)
	}
	// One that changes all the time is no load.
	start := now
	for i := range 100 {
		problem.problem = fmt.Sprint("taken ", i)
		teller.warn(svc, problem, now)
		now = now.Add(patience)
		teller.warn(svc, problem, now)
	}
	if most := warnBurst + int(now.Sub(start)/warnInterval) + 1; len(told) > most {
		t.Errorf("%d warnings in %v", len(told), now.Sub(start))
	}
}
