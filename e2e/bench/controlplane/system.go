package controlplane

import (
	"cmp"
	"slices"
	"time"

	"github.com/heraldlb/herald/e2e/lab"
	"github.com/heraldlb/herald/e2e/plane"
)

// system is what holds the VIP, and what befalls it.
type system struct {
	key, name  string // key names it in options
	parameters lab.Parameters
	faults     []fault
	// shares says that connections go to all API servers; seconds are the hosts that
	// do not hold the VIP when all is well.
	shares  bool
	seconds []string
	// sequences says that random faults are inflicted too; dual is how long two may
	// hold the VIP at once, when they hear each other.
	sequences bool
	dual      time.Duration
}

// Electors are what can be measured.
func Electors() (all []string) {
	for _, s := range systems(Options{}) {
		all = append(all, s.key)
	}
	return all
}

// heartbeat is the time between two heartbeats of a small cluster.
const heartbeat = 25 * time.Millisecond

// systems: the counts make a bench of minutes; the targets are meant for more.
func systems(options Options) []system {
	count := func(normal int) int { return cmp.Or(options.Runs, normal) }
	quick := plane.Parameters("heartbeat")
	quick.AnnouncerArgs = "--health-period=100ms --health-timeout=500ms"
	balanced := plane.Parameters("heartbeat")
	balanced.Balance = true
	fastest := plane.Parameters("lease")
	fastest.ElectorArgs = "--lease-duration=1s --renew-deadline=750ms --retry-period=200ms"
	all := []system{
		{
			key: "heartbeat", name: "heartbeat", parameters: plane.Parameters("heartbeat"), sequences: true, dual: heartbeat,
			faults: []fault{
				crash(count(8)).aimed(150, 300), serverKilled(count(4)).aimed(0, 0, 1500),
				serverHangs(count(2)), told(count(4), plane.Announcer), unready(count(2)),
			},
		},
		{
			key: "heartbeat-fast", name: "heartbeat, health each 100 ms", parameters: quick,
			faults: []fault{serverKilled(count(4)), serverHangs(count(2))},
		},
		{
			key: "heartbeat-lb", name: "heartbeat, --lb", parameters: balanced, shares: true,
			faults: []fault{crash(count(2)), serverKilled(count(3)), serverHangs(count(2))},
		},
		{
			key: "raft", name: "raft", parameters: plane.Parameters("raft"), sequences: true,
			faults: []fault{
				crash(count(8)).aimed(0, 700), serverKilled(count(3)).aimed(0, 0, 1500),
				told(count(4), plane.ControlPlane, plane.Announcer),
			},
		},
		{key: "lease", name: "lease, kube-vip's defaults", parameters: plane.Parameters("lease"), faults: []fault{crash(count(2))}},
		{key: "lease-fast", name: "lease of 1 s", parameters: fastest, faults: []fault{crash(count(3))}},
		{
			key: "keepalived", name: "keepalived and HAProxy", parameters: plane.Parameters(lab.Keepalived), shares: true, seconds: []string{"cp2", "cp3"},
			faults: []fault{crash(count(2)), serverKilled(count(3)).staying(), serverHangs(count(1)).staying()},
		},
	}
	return slices.DeleteFunc(all, func(s system) bool {
		return len(options.Electors) > 0 && !slices.Contains(options.Electors, s.key)
	})
}
