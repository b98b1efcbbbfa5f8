package ipam

// group is the addresses whose holders all share them on the same terms, by
// rank, and for each port those of them where it is in use. An address that is
// held by one who does not share it, or by two who should not, is in no group.
type group struct {
	addresses orderedSet
	users     map[port]orderedSet
}

func newGroup() *group {
	return &group{addresses: newOrderedSet(), users: make(map[port]orderedSet)}
}

// has reports whether the address is in the group; a nil group has none.
func (g *group) has(u uint128) bool { return g != nil && g.addresses.has(u) }

// uses reports whether a holder of the address uses the port.
func (g *group) uses(u uint128, p port) bool {
	users, found := g.users[p]
	return found && users.has(u)
}

// use notes that a holder of the address uses the ports.
func (g *group) use(u uint128, ports portSet) {
	for p := range ports.all() {
		users, found := g.users[p]
		if !found {
			users = newOrderedSet()
			g.users[p] = users
		}
		users.insert(u)
	}
}

// disuse notes that nobody uses the ports of the address any more.
func (g *group) disuse(u uint128, ports portSet) {
	for p := range ports.all() {
		users := g.users[p]
		if users.remove(u); users.len() == 0 {
			delete(g.users, p)
		}
	}
}

// lowest returns the lowest address at or above from where none of the ports is
// in use. Each port in turn pushes the candidate up until none does. That is
// O(log² n) for one port; several ports that take turns in blocking cost as much
// for each turn.
func (g *group) lowest(from uint128, ports portSet) (uint128, bool) {
	candidate, found := g.addresses.lowest(from)
	for pushed := true; found && pushed; {
		pushed = false
		for p := range ports.all() {
			if found && g.uses(candidate, p) {
				candidate, found = g.addresses.lowestMissing(g.users[p], candidate)
				pushed = true
			}
		}
	}
	return candidate, found
}
