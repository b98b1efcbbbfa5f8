package metallb

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/heraldlb/herald/config"
	"github.com/heraldlb/herald/config/bgp"
	"github.com/heraldlb/herald/config/fault"
)

// converter makes the ConfigMap of the resources, and collects what to say of it.
type converter struct {
	*resources
	scopes    map[string]*scope
	bgp       bgpText
	peerNames map[string][]string // those of Herald's, by MetalLB's
	passwords map[string]Password // by key
	notes     []Note
	noted     map[Note]bool
}

func (r *resources) convert() *Conversion {
	c := &converter{
		resources: r,
		scopes:    make(map[string]*scope),
		peerNames: make(map[string][]string),
		passwords: make(map[string]Password),
		noted:     make(map[Note]bool),
	}
	for _, o := range r.unknown {
		c.leaveOut(o, "", "not a kind that is read here; MetalLB 0.16 does not have it")
	}
	for _, p := range r.pools {
		c.placePool(p)
	}
	c.avoidBuggy()
	c.convertPeers()
	for _, a := range r.bgp {
		c.convertBGP(a)
	}
	for _, a := range r.l2 {
		c.convertL2(a)
	}
	c.checkScopes()
	result := &Conversion{Data: c.data(), Notes: c.notes}
	for _, key := range slices.Sorted(maps.Keys(c.passwords)) {
		result.Passwords = append(result.Passwords, c.passwords[key])
	}
	slices.SortStableFunc(result.Notes, func(a, b Note) int { return a.compare(b.Place) })
	return result
}

// leaveOut notes that a field of an object, or all of it, has no counterpart.
func (c *converter) leaveOut(o object, field, reason string) { c.note(o, field, reason, true) }

// differ notes that something is done in another way.
func (c *converter) differ(o object, field, reason string) { c.note(o, field, reason, false) }

func (c *converter) note(o object, field, reason string, leftOut bool) {
	at, ok := o.at[field]
	if !ok {
		at = o.Place
	}
	note := Note{Place: at, LeftOut: leftOut, Object: o.String(), Field: field, Reason: reason}
	if !c.noted[note] {
		c.noted[note] = true
		c.notes = append(c.notes, note)
	}
}

// data returns the ConfigMap's.
func (c *converter) data() map[string]string {
	data := make(map[string]string)
	byBGP := false
	for name, s := range c.scopes {
		s.write(data, name)
		byBGP = byBGP || s.bgp
	}
	for name, s := range c.scopes {
		if byBGP {
			data["announce-"+name] = s.announced()
		}
	}
	if c.skipEnds() {
		data["skip-end-ips-in-cidr"] = "true"
	}
	if len(c.bgp.Peers) > 0 {
		data[bgp.Key] = c.bgp.String()
	}
	return data
}

// refusal says why Herald would refuse a key's value; "" if it would not.
func refusal(key, value string) string {
	data := map[string]string{key: value}
	if !strings.HasPrefix(key, "cidr-") && !strings.HasPrefix(key, "range-") {
		data["cidr-"+config.Global] = "192.0.2.0/24" // without a pool it says nothing
	}
	_, faults := config.Parse(data)
	return reasons(faults)
}

// reasons returns those of errors, on one line.
func reasons(faults fault.Faults) string {
	var all []string
	for _, f := range faults.Errors() {
		reason := f.Reason
		if f.Value != "" {
			reason = fmt.Sprintf("%s: %s", fault.Quote(f.Value), reason)
		}
		all = append(all, reason)
	}
	return strings.Join(all, "; ")
}

// unused returns a name that is not taken yet, and no longer than Herald's may be.
func unused(name string, taken func(string) bool) string {
	const most = 63
	base := name[:min(len(name), most)]
	for n := 2; taken(base); n++ {
		suffix := fmt.Sprintf("-%d", n)
		base = name[:min(len(name), most-len(suffix))] + suffix
	}
	return base
}
