package election

import "net/netip"

// publish tells everybody how the claims of this node have changed, in as many
// updates as it takes.
func (e *Election) publish() {
	var msg Message
	var size int
	send := func() {
		if size == 0 {
			return
		}
		e.digest.Version++
		msg.Kind, msg.Version = Update, e.digest.Version
		e.out = append(e.out, Outgoing{Message: msg})
		msg, size = Message{}, 0
	}
	for _, a := range e.touched {
		if a.own == a.told {
			continue
		}
		if size+entrySize(a.Address) > MaxEntryBytes {
			send()
		}
		size += entrySize(a.Address)
		if a.told != nothing {
			e.digest.Count--
			e.digest.Sum ^= fingerprint(a.Address, a.told)
		}
		if a.own != nothing {
			e.digest.Count++
			e.digest.Sum ^= fingerprint(a.Address, a.own)
			msg.Claims = append(msg.Claims, a.own.claim(a.Address))
		} else {
			msg.Dropped = append(msg.Dropped, a.Address)
		}
		a.told = a.own
	}
	send()
}

// answer tells a member all claims of this node.
func (e *Election) answer(m *member) {
	first := len(e.out)
	msg, size := Message{Kind: List, Version: e.digest.Version}, 0
	send := func() {
		msg.Part = uint16(len(e.out) - first)
		e.out = append(e.out, Outgoing{To: m.ID, Message: msg})
		msg.Claims, size = nil, 0
	}
	for _, a := range e.all {
		if a.told == nothing {
			continue
		}
		if size+entrySize(a.Address) > MaxEntryBytes {
			send()
		}
		size += entrySize(a.Address)
		msg.Claims = append(msg.Claims, a.told.claim(a.Address))
	}
	send()
	for i := first; i < len(e.out); i++ {
		e.out[i].Message.Parts = uint16(len(e.out) - first)
	}
}

func (h hold) claim(addr netip.Addr) Claim {
	return Claim{Address: addr, Yielding: h == yielding, Tentative: h == tentative}
}

// entrySize is what an address costs of MaxEntryBytes.
func entrySize(addr netip.Addr) int { return 1 + addr.BitLen()/8 }
