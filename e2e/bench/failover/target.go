package failover

import "github.com/heraldlb/herald/e2e/bench/figure"

// What figures call Herald's settings. They have targets; the others are there
// for comparison.
const (
	HeraldDefault = "herald"
	HeraldFast    = "herald 10 ms × 3"
)

// targets returns the targets of p50, p99 and the maximum, in milliseconds or
// requests.
func targets(g group) []*figure.Target {
	switch {
	case g.system == HeraldFast:
		return []*figure.Target{figure.AtMost(35), figure.AtMost(50)}
	case g.system != HeraldDefault:
		return nil
	case g.fault == announcerKilled:
		return []*figure.Target{nil, figure.AtMost(150)}
	case g.measures == Outage:
		return []*figure.Target{figure.AtMost(100), figure.AtMost(150)}
	case g.fault == daemonSetRestarted:
		return []*figure.Target{nil, nil, figure.AtMost(2 * moves)}
	case g.fault == podDeleted || g.fault == nodeExcluded:
		return []*figure.Target{nil, nil, figure.AtMost(2)}
	default:
		return []*figure.Target{nil, nil, figure.AtMost(0)}
	}
}

// moves is how often a restart of the whole DaemonSet may move an address: once
// from each node.
const moves = 3
