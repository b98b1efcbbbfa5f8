package membership

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/heraldlb/herald/membership/wire"
)

// Options are settings that do not change.
type Options struct {
	// Node is the name of this node.
	Node string
	// Incarnation is to be higher in each run; 0 takes it from the clock.
	Incarnation uint64
	// Cluster tells ours from others on the same segment; see SetCluster.
	Cluster string
	// Interval between heartbeats; 0 chooses it by the number of members.
	Interval time.Duration
	// Multiplier is after how many intervals of silence this node is dead; 0 is
	// DefaultMultiplier.
	Multiplier int
	// Port is the UDP port of all announcers; 0 is wire.Port.
	Port uint16
	// KeyDirectory holds the keys, one a file, as a Secret is mounted: what is
	// sent is sealed with the one called "current", or else the first by name,
	// and any is taken. It is read again when it changes. "", or an empty one, is
	// for no keys.
	KeyDirectory string
	// Unicast sends heartbeats to the peers one by one, for a segment that does
	// not carry multicast.
	Unicast bool
	// Peers are the other nodes' addresses, for Unicast; see SetPeers.
	Peers []netip.Addr
}

// DefaultMultiplier is for Options.Multiplier.
const DefaultMultiplier = 4

func (o *Options) setDefaults() {
	if o.Incarnation == 0 {
		o.Incarnation = uint64(max(time.Now().UnixNano(), 1))
	}
	if o.Multiplier == 0 {
		o.Multiplier = DefaultMultiplier
	}
	if o.Port == 0 {
		o.Port = wire.Port
	}
}

func (o *Options) check() error {
	if err := wire.CheckName(o.Node); err != nil {
		return fmt.Errorf("node %q: %w", o.Node, err)
	}
	if o.Interval != 0 && (o.Interval < wire.MinInterval || o.Interval > wire.MaxInterval) {
		return fmt.Errorf("heartbeat interval %s: %w", o.Interval, wire.BadInterval)
	}
	if o.Multiplier < wire.MinMultiplier || o.Multiplier > wire.MaxMultiplier {
		return fmt.Errorf("heartbeat multiplier %d: %w", o.Multiplier, wire.BadMultiplier)
	}
	return nil
}
