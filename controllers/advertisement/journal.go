package advertisement

import (
	"fmt"
	"hash/fnv"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/announcer/bgp"
)

// The reasons of events on a Node.
const (
	// EventSessionUp: there is a session with a router (Normal).
	EventSessionUp = "BGPSessionUp"
	// EventSessionDown: there is no session with a router, or none any more, and why (Warning).
	EventSessionDown = "BGPSessionDown"
	// EventConfigInvalid: annotations of the Node are not understood, or two of its peers are one router (Warning).
	EventConfigInvalid = "BGPConfigInvalid"
	// EventNothingSelected: this node is to advertise addresses, and by bgp.yaml it
	// tells nobody of any (Warning).
	EventNothingSelected = "BGPNothingSelected"
)

// How often is told: of each peer, and of complaints of each reason, a burst, and then
// seldom, so that a router that flaps makes no storm.
const (
	eventBurst    = 4
	eventInterval = time.Minute
	// doubt is how long a session has not come up, or something has been complained of,
	// before that is told.
	doubt = 3 * time.Second
)

// journal tells of sessions and complaints, of each when it changes.
type journal struct {
	entries map[string]*entry
}

// teller makes an event.
type teller func(eventType, reason, note string)

// entry is what was told of one peer, or of one reason.
type entry struct {
	limiter *rate.Limiter
	// said is what was told last, wanted what there is to tell since when.
	said, wanted string
	since        time.Time
	// up says that a session was told to be up, flaps what its counter was then.
	up    bool
	flaps uint64
}

func newJournal() *journal {
	return &journal{entries: make(map[string]*entry)}
}

// note tells what there is to tell, and returns when to be called again, 0 if nothing
// is left.
func (j *journal) note(now time.Time, sessions []bgp.Session, complaints []complaint, tell teller) (again time.Duration) {
	live := make(map[string]bool)
	for _, s := range sessions {
		live["peer "+s.Peer] = true
		again = soonest(again, j.entry("peer "+s.Peer, now).session(now, s, tell))
	}
	byReason := make(map[string]string)
	for _, c := range complaints {
		if c.reason != "" {
			byReason[c.reason] += c.text + "\n"
		}
	}
	for reason, text := range byReason {
		live["reason "+reason] = true
		again = soonest(again, j.entry("reason "+reason, now).complaint(now, reason, text[:len(text)-1], tell))
	}
	for name, e := range j.entries {
		if !live[name] && e.limiter.TokensAt(now) >= eventBurst {
			delete(j.entries, name)
		} else if !live[name] {
			e.said, e.wanted, e.up = "", "", false
		}
	}
	return again
}

func (j *journal) entry(name string, now time.Time) *entry {
	e := j.entries[name]
	if e == nil {
		e = &entry{limiter: rate.NewLimiter(rate.Every(eventInterval), eventBurst), since: now}
		j.entries[name] = e
	}
	return e
}

func (e *entry) session(now time.Time, s bgp.Session, tell teller) time.Duration {
	up := s.State == bgp.Established
	with := fmt.Sprintf("the BGP session with %s (%s, AS %d)", s.Peer, router(s), s.ASN)
	switch {
	case up && e.up && e.flaps == s.Flaps:
		e.wanted = e.said
		return 0
	case up && e.up:
		with += " was lost, and is up again"
	case up:
		with += " is up"
	case s.Reason == "" && !e.up:
		return 0
	case e.up:
		with += " is down: " + orUnknown(s.Reason)
	default:
		with += " does not come up: " + s.Reason
	}
	wait := time.Duration(0)
	if !up && !e.up {
		wait = doubt
	}
	news := with
	if up {
		news += fmt.Sprint(" ", s.Flaps) // each loss is news
	}
	told, again := e.say(now, news, wait)
	if told {
		e.up, e.flaps = up, s.Flaps
		if up {
			tell(corev1.EventTypeNormal, EventSessionUp, with)
		} else {
			tell(corev1.EventTypeWarning, EventSessionDown, with)
		}
	}
	return again
}

func (e *entry) complaint(now time.Time, reason, text string, tell teller) time.Duration {
	told, again := e.say(now, text, doubt)
	if told {
		tell(corev1.EventTypeWarning, reason, text)
	}
	return again
}

// say returns whether a text is to be told now: it is news, has stood for wait, and is
// not one too many. If not yet, it returns when to ask again.
func (e *entry) say(now time.Time, text string, wait time.Duration) (told bool, again time.Duration) {
	if text == e.said {
		e.wanted = text
		return false, 0
	}
	if text != e.wanted {
		e.wanted, e.since = text, now
	}
	if left := wait - now.Sub(e.since); left > 0 {
		return false, left
	}
	reservation := e.limiter.ReserveN(now, 1)
	if delay := reservation.DelayFrom(now); delay > 0 {
		reservation.CancelAt(now)
		return false, delay
	}
	e.said = text
	return true, 0
}

func router(s bgp.Session) string {
	if s.Address.IsValid() {
		return s.Address.String()
	}
	return "not found yet"
}

func orUnknown(reason string) string {
	if reason == "" {
		return "nothing is known of why"
	}
	return reason
}

// tell makes an event on this node's Node.
func (a *Advertiser) tell(n node) teller {
	return func(eventType, reason, note string) {
		// The recorder takes two events for one, and keeps the note of the first, if they
		// differ by their notes alone.
		hash := fnv.New32a()
		_, _ = hash.Write([]byte(note)) // to memory
		object := &corev1.ObjectReference{
			APIVersion: "v1", Kind: "Node", Name: n.name, UID: n.uid, FieldPath: fmt.Sprintf("bgp{%08x}", hash.Sum32()),
		}
		a.cluster.event(object, eventType, reason, note)
		a.log.Info("event", "reason", reason, "note", note)
	}
}
