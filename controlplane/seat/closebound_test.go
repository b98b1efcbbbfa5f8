package seat

import (
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controlplane"
)

// Connections are closed for no longer than the term allows.
func TestCloseBound(t *testing.T) {
	now, err := announcer.Now()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		until         announcer.BootTime
		least, atMost time.Duration
	}{
		{0, 200 * time.Millisecond, 200 * time.Millisecond},
		{now.Add(time.Hour), 200 * time.Millisecond, 200 * time.Millisecond},
		{now.Add(-time.Second), 0, 0},
		{now, 0, 0},
		{now.Add(100 * time.Millisecond), 0, 50 * time.Millisecond},
	} {
		if got := closeBound(controlplane.Term{Until: tt.until}); got < tt.least || got > tt.atMost {
			t.Errorf("until %s: %s, want %s to %s", tt.until.Sub(now), got, tt.least, tt.atMost)
		}
	}
}
