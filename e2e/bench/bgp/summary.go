package bgp

import "context"

// summary is what the router tells of its sessions, by the neighbor's address.
type summary map[string]neighbor

type neighbor struct {
	State string `json:"state"`
	// Times is how often the session was established, Routes how many are known by it.
	Times  int `json:"connectionsEstablished"`
	Routes int `json:"pfxRcd"`
}

// anew says whether the session stands, and another one did before.
func (n neighbor) anew(before neighbor) bool {
	return n.State == "Established" && n.Times > before.Times
}

// established counts the sessions that stand and did not before.
func (s summary) established(before summary) int { return s.told(before, 0) }

// told counts those of them by which so many routes are known, or more.
func (s summary) told(before summary, routes int) int {
	count := 0
	for name, neighbor := range s {
		if neighbor.anew(before[name]) && neighbor.Routes >= routes {
			count++
		}
	}
	return count
}

func (r *Router) summary(ctx context.Context) (summary, error) {
	var answer struct {
		Peers summary `json:"peers"`
	}
	err := r.frr.Show(ctx, "bgp ipv4 unicast summary", &answer)
	return answer.Peers, err
}

// kernel is what the router tells of the routes that its kernel has.
type kernel struct {
	Routes []struct {
		Installed int    `json:"fib"`
		Type      string `json:"type"`
	} `json:"routes"`
}

func (k kernel) installed() int {
	count := 0
	for _, routes := range k.Routes {
		if routes.Type == "ebgp" {
			count += routes.Installed
		}
	}
	return count
}

// installed returns how many routes by BGP the router's kernel has.
func (r *Router) installed(ctx context.Context) (int, error) {
	var answer kernel
	err := r.frr.Show(ctx, "ip route summary", &answer)
	return answer.installed(), err
}

// knows waits until all sessions stand, and no more than so many routes are known.
func (r *Router) knows(ctx context.Context, most int) error {
	ctx, cancel := context.WithTimeout(ctx, slow)
	defer cancel()
	return until(ctx, glance, "sessions without routes", func() (bool, error) {
		now, err := r.summary(ctx)
		if err != nil || now.established(nil) < len(r.site.Nodes) || now.told(nil, most+1) > 0 {
			return false, err
		}
		installed, err := r.installed(ctx)
		return installed <= most, err
	})
}

// clear ends all sessions.
func (r *Router) clear(ctx context.Context) error { return r.frr.Clear(ctx) }
