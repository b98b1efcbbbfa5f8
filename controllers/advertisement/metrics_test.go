package advertisement

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/heraldlb/herald/announcer/bgp"
)

func TestCollector(t *testing.T) {
	c := newCollector(func() []bgp.Session {
		return []bgp.Session{
			{Peer: "tor1", State: bgp.Established, Advertised: 3, Withheld: 1, Updates: 7, Flaps: 2},
			{Peer: "tor2"},
		}
	})
	want := `
		# HELP herald_bgp_session_up 1 if there is a BGP session with the router, else 0.
		# TYPE herald_bgp_session_up gauge
		herald_bgp_session_up{peer="tor1"} 1
		herald_bgp_session_up{peer="tor2"} 0
		# HELP herald_bgp_session_flaps_total How often the session was lost.
		# TYPE herald_bgp_session_flaps_total counter
		herald_bgp_session_flaps_total{peer="tor1"} 2
		herald_bgp_session_flaps_total{peer="tor2"} 0
	`
	if err := testutil.CollectAndCompare(c, strings.NewReader(want), "herald_bgp_session_up", "herald_bgp_session_flaps_total"); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.CollectAndLint(c); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
}
