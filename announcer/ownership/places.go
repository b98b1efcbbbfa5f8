package ownership

import (
	"math/bits"
	"net/netip"
	"slices"
	"time"

	"github.com/heraldlb/herald/announcer/l2"
	"github.com/heraldlb/herald/announcer/l2/link"
	"github.com/heraldlb/herald/election"
)

// places are the interfaces that addresses are announced on. One takes part when
// the first address comes that is to be announced there, and until it goes down.
type places struct {
	// interfaces are those that an address may be announced on.
	interfaces []link.Interface
	// named counts the addresses that name an interface.
	named map[string]int
	// broken are the ports that nothing can be announced on.
	broken map[l2.Port]bool

	// open are the interfaces that others could be heard on, by index; sole: there
	// are no others.
	open []int
	sole bool

	all  []*place
	used election.Segments
	// changed: other interfaces take part, or their prefixes are others.
	changed bool
}

// place is one of them, for one epoch of it.
type place struct {
	link.Interface
	segment election.Segments
	// listening is until when others are listened to before anything is claimed
	// there; heard says that it is over.
	listening time.Time
	heard     bool
}

func newPlaces() *places {
	return &places{named: make(map[string]int), broken: make(map[l2.Port]bool)}
}

// name counts an address that names an interface, or one less.
func (p *places) name(iface string, count int) {
	if iface == "" {
		return
	}
	if p.named[iface] += count; p.named[iface] == 0 {
		delete(p.named, iface)
	}
}

// set says what the interfaces are, and reports whether that matters. On a node
// full of Pods they come and go all the time, and few do.
func (p *places) set(interfaces []link.Interface) bool {
	eligible := slices.DeleteFunc(slices.Clone(interfaces), func(i link.Interface) bool { return !p.eligible(&i) })
	if slices.EqualFunc(p.interfaces, eligible, same) {
		return false
	}
	p.interfaces = eligible
	p.all = slices.DeleteFunc(p.all, func(in *place) bool {
		i := slices.IndexFunc(eligible, func(i link.Interface) bool { return i.Epoch == in.Epoch })
		if i < 0 {
			p.used &^= in.segment
			p.changed = true
			return true
		}
		p.changed = p.changed || !same(in.Interface, eligible[i])
		in.Interface = eligible[i]
		return false
	})
	return true
}

// eligible reports whether an address may be announced on an interface. Without
// a prefix the others cannot be talked to there.
func (p *places) eligible(i *link.Interface) bool {
	wide := func(prefix netip.Prefix) bool { return !prefix.Addr().IsLinkLocalUnicast() || prefix.Addr().Is4() }
	return i.Up && (p.named[i.Name] > 0 && len(i.Prefixes) > 0 || slices.ContainsFunc(i.Prefixes, wide))
}

func same(a, b link.Interface) bool {
	return a.Epoch == b.Epoch && a.Index == b.Index && slices.Equal(a.Prefixes, b.Prefixes)
}

// of returns the segments on which this node may own an address now, and if it
// can be announced on any interface at all. Those that it is to be announced
// on take part from now on; others are listened to there until listening.
func (p *places) of(addr netip.Addr, iface string, listening time.Time) (segments election.Segments, carried bool) {
	for i := range p.interfaces {
		on := &p.interfaces[i]
		if !on.Carries(addr, iface) {
			continue
		}
		in := p.join(on, listening)
		if in == nil || p.broken[l2.Port{Epoch: on.Epoch, IPv6: addr.Is6()}] {
			continue
		}
		carried = true
		if in.heard {
			segments |= in.segment
		}
	}
	return segments, carried
}

// join returns the place of an interface, nil if there are too many.
func (p *places) join(on *link.Interface, listening time.Time) *place {
	for _, in := range p.all {
		if in.Epoch == on.Epoch {
			return in
		}
	}
	free := bits.TrailingZeros64(^uint64(p.used))
	if free == 64 {
		return nil
	}
	in := &place{Interface: *on, segment: 1 << free, listening: listening}
	p.used |= in.segment
	p.all = append(p.all, in)
	p.changed = true
	return in
}

// links are the interfaces that take part.
func (p *places) links() []link.Interface {
	all := make([]link.Interface, 0, len(p.all))
	for _, in := range p.all {
		all = append(all, in.Interface)
	}
	return all
}

// segments are those of interfaces, by index.
func (p *places) segments(interfaces []int) (s election.Segments) {
	for _, in := range p.all {
		if slices.Contains(interfaces, in.Index) {
			s |= in.segment
		}
	}
	return s
}

// deaf reports whether others could not be heard on a place, whoever there is.
func (p *places) deaf(in *place) bool { return !p.sole && !slices.Contains(p.open, in.Index) }

// setOpen says on which interfaces others can be heard. On those that are new they
// are listened to until listening; on those that are not, nothing is claimed: who
// cannot hear cannot be heard either, and others have what this node had. It reports
// whether that matters.
func (p *places) setOpen(open []int, sole bool, listening time.Time) (changed bool) {
	var deaf []*place
	for _, in := range p.all {
		if p.deaf(in) {
			deaf = append(deaf, in)
		}
	}
	p.open, p.sole = open, sole
	for _, in := range p.all {
		if is, was := p.deaf(in), slices.Contains(deaf, in); is != was {
			in.heard, in.listening, changed = false, listening, true
		}
	}
	return changed
}

// advance ends the listening that is over, and reports whether any is.
func (p *places) advance(now time.Time) (over bool) {
	for _, in := range p.all {
		if !in.heard && !p.deaf(in) && !now.Before(in.listening) {
			in.heard, over = true, true
		}
	}
	return over
}

// next returns when a listening ends; ok is false if none is going on.
func (p *places) next() (at time.Time, ok bool) {
	for _, in := range p.all {
		if !in.heard && !p.deaf(in) && (!ok || in.listening.Before(at)) {
			at, ok = in.listening, true
		}
	}
	return at, ok
}

// heard reports whether any place was listened to for long enough.
func (p *places) heard() bool {
	return slices.ContainsFunc(p.all, func(in *place) bool { return in.heard })
}

// listen begins to listen everywhere.
func (p *places) listen(until time.Time) {
	for _, in := range p.all {
		in.heard, in.listening = false, until
	}
}
