package figure

import (
	"strings"
	"testing"
	"time"
)

func TestTimes(t *testing.T) {
	var times []time.Duration
	for i := range 100 {
		times = append(times, time.Duration(100-i)*5*time.Millisecond)
	}
	f := Times("crash", times, AtMost(200), AtMost(495))
	for i, want := range []struct {
		of    string
		value float64
	}{{"p50", 250}, {"p99", 495}, {"max", 500}} {
		if got := f.Values[i]; got.Of != want.of || got.Value != want.value {
			t.Errorf("got %s %g, want %s %g", got.Of, got.Value, want.of, want.value)
		}
	}
	if *f.Values[0].Met || !*f.Values[1].Met || f.Values[2].Met != nil {
		t.Errorf("targets: %+v", f.Values)
	}
}

func TestNothing(t *testing.T) {
	if f := Times("crash", nil, AtMost(100)); f.Count != 0 || *f.Values[0].Met {
		t.Errorf("of no measurement: %+v", f)
	}
}

func TestWriteTable(t *testing.T) {
	var text strings.Builder
	err := WriteTable(&text, []Figure{
		Single("writes", "writes/s", 0, 1, AtMost(0)),
		Times("crash", []time.Duration{90 * time.Millisecond, 160 * time.Millisecond}, AtMost(100), AtMost(150)),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `
FIGURE  VALUE, P50  P99  MAX  UNIT      COUNT  TARGET
writes  0                     writes/s  1      at most 0: met
crash   90          160  160  ms        2      p50 at most 100: met, p99 at most 150: MISSED
`
	if text.String() != want {
		t.Errorf("got %s, want %s", text.String(), want)
	}
}
