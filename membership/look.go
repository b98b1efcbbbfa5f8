package membership

import (
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/internal/realtime"
)

// look sees after what nobody signals.
func (d *desk) look(now time.Time) {
	d.greet()
	for reason := taken + 1; reason < drops; reason++ {
		d.logDrop(reason)
	}
	if d.retry {
		d.retry = false
		d.want(func(*wanted) {})
	}
	if d.keyFault != "" {
		d.mu.Lock()
		d.roster.complaints["heartbeat keys: "+d.keyFault] = now
		d.mu.Unlock()
	}
}

// tellIncarnation tells of one that is not that of the beginning.
func (d *desk) tellIncarnation() {
	is := d.ID().Incarnation
	if is == d.incarnation {
		return
	}
	d.incarnation = is
	d.log.Warn("others know of a later run of this node than the clock has it: taking a higher incarnation", "incarnation", is)
	d.observer.Renumbered(is)
}

// greet says once how heartbeats are sent.
func (d *desk) greet() {
	how := d.thread.scheduling.Load()
	if d.greeted || how == nil {
		return
	}
	d.greeted = true
	d.log.Info("sending heartbeats", "node", d.options.Node, "scheduling", *how, "keyed", d.keyed.Load(), "unicast", d.options.Unicast)
	if !d.keyed.Load() {
		d.log.Warn("heartbeats have no key: any host on the segment can forge them")
	}
	if *how == realtime.Ordinary {
		d.log.Warn("no right to schedule heartbeats before other work (CAP_SYS_NICE): a busy machine may be late with them")
	}
}

// logDrop logs the last datagram that was dropped for a reason, now and then.
func (d *desk) logDrop(reason drop) {
	n := &d.thread.notes[reason]
	if !n.full.Load() {
		return
	}
	if help := reason.help(); help != "" {
		d.quiet.log(d.log, "drop "+reason.label(), "dropping heartbeats", "reason", reason.label(), "help", help,
			"interface", n.link, "peer", n.source, "total", d.counts.drops[reason].Load())
	}
	n.full.Store(false)
}

// logNews logs who came and went.
func (d *desk) logNews(n *news) {
	switch {
	case n.about == nil:
	case n.about.state == announcer.Alive && !d.shown[n.id]:
		d.shown[n.id] = true
		d.log.Info("member is alive", "node", n.id.Node, "incarnation", n.id.Incarnation)
	case n.about.state != announcer.Alive && d.shown[n.id]:
		delete(d.shown, n.id)
		d.log.Info("member is gone", "node", n.id.Node, "incarnation", n.id.Incarnation, "reason", n.about.reason)
	}
}
