package kubelet

import "time"

// Restarts of a container that keeps ending: at once, then after one second,
// and twice as long each time (KEP-4603's figures; Kubernetes' older ones, 10 s
// to 5 min, are long for a test).
const (
	backoffFirst = time.Second
	backoffMax   = time.Minute
)

type backoff struct {
	restarted bool
	delay     time.Duration
}

// next returns how long a container that ran for that long waits for its
// restart. One that ran for twice the longest delay has recovered.
func (b *backoff) next(ran time.Duration) time.Duration {
	if !b.restarted || ran > 2*backoffMax {
		*b = backoff{restarted: true}
		return 0
	}
	b.delay = min(max(backoffFirst, 2*b.delay), backoffMax)
	return b.delay
}
