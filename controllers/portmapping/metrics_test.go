package portmapping

import (
	"log/slog"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/heraldlb/herald/announcer/upnp"
)

func TestCollector(t *testing.T) {
	c := &collector{mapper: upnp.NewMapper(upnp.Options{Log: slog.New(slog.DiscardHandler), Changed: func() {}})}
	if n := testutil.CollectAndCount(c); n != 11 {
		t.Errorf("%d series", n)
	}
	if problems, err := testutil.CollectAndLint(c); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
}
