package controlplane

import (
	"math/rand/v2"
	"time"

	"github.com/heraldlb/herald/e2e/plane"
)

// act is something that happens to a host, or to a component of it.
type act string

const (
	killed    act = "killed"
	stopped   act = "stopped"
	continued act = "continued"
	started   act = "started"
	leaves    act = "told to end"
	crashes   act = "crashes"
	boots     act = "boots"
	parted    act = "parted from the others"
	healed    act = "healed"
)

// step is one act of a sequence, after a pause.
type step struct {
	pause     time.Duration
	act       act
	host      int    // 0 is who holds the VIP at the beginning
	component string // "" for an act of the host
}

// model is what a sequence knows of the hosts: which acts are possible.
type model struct {
	components []string
	down       []bool
	cut        int // who is parted; -1: nobody
	// states are by host and component: killed, stopped or started.
	states []map[string]act
}

func newModel(hosts int, components []string) *model {
	m := &model{components: components, down: make([]bool, hosts), cut: -1}
	for range hosts {
		m.states = append(m.states, nil)
		m.boot(len(m.states) - 1)
	}
	return m
}

func (m *model) boot(host int) {
	m.down[host], m.states[host] = false, make(map[string]act)
	for _, component := range m.components {
		m.states[host][component] = started
	}
}

// possible returns what may happen next to a host. What costs an API server's start is
// seldom.
func (m *model) possible(host int) (all []step) {
	often := func(n int, s step) {
		for range n {
			all = append(all, s)
		}
	}
	if m.down[host] {
		return []step{{host: host, act: boots}}
	}
	for _, component := range m.components {
		of := func(a act) step { return step{host: host, component: component, act: a} }
		switch m.states[host][component] {
		case started:
			often(2, of(stopped))
			if component == plane.APIServer {
				often(1, of(killed))
			} else {
				often(2, of(killed))
				often(2, of(leaves))
			}
		case stopped:
			often(4, of(continued))
			often(1, of(killed))
		default:
			often(4, of(started))
		}
	}
	often(1, step{host: host, act: crashes})
	switch m.cut {
	case -1:
		often(3, step{host: host, act: parted})
	default:
		often(3, step{host: m.cut, act: healed})
	}
	return all
}

// take notes that a step happened.
func (m *model) take(s step) {
	switch s.act {
	case crashes:
		m.down[s.host] = true
	case boots:
		m.boot(s.host)
	case parted:
		m.cut = s.host
	case healed:
		m.cut = -1
	case continued:
		m.states[s.host][s.component] = started
	case leaves:
		m.states[s.host][s.component] = killed
	default:
		m.states[s.host][s.component] = s.act
	}
}

const (
	// hosts is how many there are in a sequence.
	hosts = 3
	// longestPause is that between two faults: long enough for another to be elected.
	longestPause = 1500 * time.Millisecond
)

// mending returns what ends all that is not as it should be.
func (m *model) mending() (all []step) {
	if m.cut >= 0 {
		all = append(all, step{host: m.cut, act: healed})
	}
	for host, states := range m.states {
		if m.down[host] {
			all = append(all, step{host: host, act: boots})
			continue
		}
		for _, component := range m.components {
			if states[component] == stopped {
				all = append(all, step{host: host, component: component, act: continued})
			}
			if states[component] == killed {
				all = append(all, step{host: host, component: component, act: started})
			}
		}
	}
	return all
}

// newSequence returns the faults of a seed, on a plane whose hosts run those components,
// and what ends them. The first one befalls the holder.
func newSequence(seed uint64, components []string) (steps []step) {
	random := rand.New(rand.NewPCG(seed, seed)) //nolint:gosec // has to be the same again
	m := newModel(hosts, components)
	for i := range 3 + random.IntN(4) {
		host := random.IntN(hosts)
		if i == 0 {
			host = 0
		}
		possible := m.possible(host)
		s := possible[random.IntN(len(possible))]
		s.pause = time.Duration(random.Int64N(int64(longestPause)))
		m.take(s)
		steps = append(steps, s)
	}
	return append(steps, m.mending()...)
}
