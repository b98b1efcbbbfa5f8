package election

import "net/netip"

// Effects are what is to be done.
type Effects struct {
	// Changes are those of ownership, one for each address.
	Changes []Change
	// Again are addresses of this node's to announce again: another had them too.
	Again []netip.Addr
	// Messages are to be sent in this order.
	Messages []Outgoing
}

// Change is one of who owns an address, as this node sees it.
type Change struct {
	Address netip.Addr
	// Own says that this node answers for the address from now on; if not, it
	// does not.
	Own bool
	// Tentative says that it answers only when it found that no stranger uses the
	// address, and told so by Probed.
	Tentative bool
	// Owner is the node that has the address, "" if nobody has.
	Owner string
	// From is the node that hands the address over to this one, "" if none does.
	From string
}

// Outgoing is a message to be sent.
type Outgoing struct {
	// To is a member. Zero: everybody.
	To      ID
	Message Message
}

// Take returns what is to be done since it was last called.
func (e *Election) Take() Effects {
	var effects Effects
	if len(e.touched) > 0 {
		effects.Changes, effects.Again = e.report()
		e.publish()
		for _, a := range e.touched {
			a.touched = false
			e.discard(a)
		}
		clear(e.touched)
		e.touched = e.touched[:0]
	}
	for _, m := range e.roll {
		if m.asks {
			m.asks = false
			e.answer(m)
		}
	}
	effects.Messages, e.out = e.out, nil
	return effects
}

// touch remembers to look at a in Take.
func (e *Election) touch(a *address) {
	if !a.touched {
		a.touched = true
		e.touched = append(e.touched, a)
	}
}

// report compares what is with what was said last.
func (e *Election) report() (changes []Change, again []netip.Addr) {
	for _, a := range e.touched {
		own, owner, from := a.held(), "", ""
		leader, _ := a.leader()
		switch {
		case own:
			owner = e.self.Node
			if leader != nil && leader.hold == yielding {
				from = leader.by.Node
			}
		case leader != nil && a.wanted:
			owner = leader.by.Node
		}
		switch {
		case !a.wanted && !a.reported.own:
			a.reported.owner = "" // Nobody asks.
		case own != a.reported.own || owner != a.reported.owner:
			changes = append(changes, Change{
				Address: a.Address, Own: own, Tentative: own && a.own == tentative, Owner: owner, From: from,
			})
			a.reported.own, a.reported.owner = own, owner
		case own && a.again:
			again = append(again, a.Address)
		}
		a.again = false
		if !a.wanted && len(a.claims) == 0 {
			a.evidence = unheard
		}
	}
	return changes, again
}
