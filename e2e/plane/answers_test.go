package plane

import (
	"testing"
	"time"
)

// A request that is lost is answered a second later, since TCP sends it again; the outage is
// until a later one is answered.
func TestOutage(t *testing.T) {
	const ms = time.Millisecond
	start := time.Now()
	var answers []Answer
	for i := range 100 {
		a := Answer{Number: i, At: start.Add(time.Duration(i) * 10 * ms), Took: 2 * ms}
		if i >= 20 && i < 40 { // 200 ms
			a.Took = 1010 * ms
		}
		answers = append(answers, a)
	}
	end := start.Add(time.Second)
	if got := Outage(answers, end); got != 202*ms {
		t.Errorf("an outage of %s, want 202ms", got)
	}
	for i := 20; i < 100; i++ {
		answers[i].Error = "no answer"
	}
	if got := Outage(answers, end); got != 800*ms {
		t.Errorf("without an answer to the end, an outage of %s, want 800ms", got)
	}
	if got := len(Failed(answers)); got != 80 {
		t.Errorf("%d failed, want 80", got)
	}
}

func TestOverlaps(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	spans := []Span{
		{"a", "v", at(0), at(5)}, {"b", "v", at(5), at(9)}, {"c", "w", at(0), at(9)}, {"a", "v", at(8), at(10)},
	}
	all := Overlaps(spans)
	if len(all) != 1 || all[0].Long != time.Second {
		t.Errorf("overlaps %v, want one of a second", all)
	}
}
