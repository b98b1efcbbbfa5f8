package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"go4.org/netipx"

	"github.com/heraldlb/herald/config/fault"
)

// Parse reads the data of the pool ConfigMap. It returns every fault, sorted
// by key and position, and a Config unless one of them is an Error: what is
// broken in part is refused as a whole.
func Parse(data map[string]string) (*Config, Faults) {
	p := parser{keys: Keys(), scopes: make(map[string]*scope)}
	for _, key := range slices.Sorted(maps.Keys(data)) {
		p.readKey(key, data[key])
	}
	config := p.assemble()
	faults := p.Sorted()
	if len(faults.Errors()) > 0 {
		return nil, faults
	}
	return config, faults
}

// parser reads key after key into scopes, and collects the faults.
type parser struct {
	fault.Collector
	keys     []Key
	order    Order
	skipEnds bool
	bgp      *string // bgp.yaml, read last
	scopes   map[string]*scope
}

// scope is what the keys of one scope say.
type scope struct {
	name     string
	pools    []string // the cidr- and range- keys that are there
	entries  []entry  // of those keys, without the faulty
	excludes []entry  // without the faulty
	faulty   bool     // an entry or exclude is missing above
	share    *bool
	iface    string
	announce *Announce
}

func (p *parser) readKey(written, value string) {
	key, name, known := find(p.keys, written)
	switch {
	case !known:
		p.report(Warning, written, "", "unknown key, without effect"+didYouMean(written))
	case key.Scoped:
		s := p.scope(name)
		if err := checkScope(key.Name, name); err != nil {
			p.report(Error, written, "", err.Error())
			s = &scope{name: name} // what the value says is checked all the same
		}
		key.read(p, s, written, value)
	default:
		key.read(p, nil, written, value)
	}
}

// readPool reads a list of addresses to hand out.
func (p *parser) readPool(s *scope, key, value string, parse parseFunc) {
	s.pools = append(s.pools, key)
	if trim(value) == "" {
		s.faulty = true
		p.report(Error, key, "", "empty; name addresses, or remove the key")
		return
	}
	s.entries = append(s.entries, p.readList(s, key, value, func(text string) (netipx.IPRange, error) {
		addresses, err := parse(text)
		if err != nil {
			return netipx.IPRange{}, err
		}
		return addresses, checkUsable(addresses)
	})...)
}

// readExcludes reads a list of addresses that are left out of the scope's pool.
func (p *parser) readExcludes(s *scope, key, value string) {
	if trim(value) == "" {
		p.report(Warning, key, "", "empty; nothing is excluded")
		return
	}
	s.excludes = p.readList(s, key, value, parseExclude)
}

// parseFunc reads one entry. Its error does not repeat the text.
type parseFunc func(text string) (netipx.IPRange, error)

var errEmptyEntry = errors.New("empty entry")

// readList returns the valid entries of a list, and reports the others.
func (p *parser) readList(s *scope, key, value string, parse parseFunc) []entry {
	var valid []entry
	for e := range splitList(key, value) {
		var err error
		if e.IPRange, err = parse(e.text); e.text == "" {
			err = errEmptyEntry
		}
		if err != nil {
			s.faulty = true
			p.Add(e.fault(Error, err.Error()))
			continue
		}
		valid = append(valid, e)
	}
	return valid
}

// readInterface reads the name of one.
func (p *parser) readInterface(s *scope, key, value string) {
	s.iface = trim(value)
	if err := checkInterface(s.iface); err != nil {
		p.report(Error, key, s.iface, err.Error())
	}
}

func (p *parser) readOrder(_ *scope, key, value string) {
	switch value = trim(value); value {
	case Ascending.String():
		p.order = Ascending
	case Descending.String():
		p.order = Descending
	default:
		p.report(Error, key, value, fmt.Sprintf("must be %q or %q", Ascending, Descending))
	}
}

func (p *parser) readSkipEnds(_ *scope, key, value string) {
	skip := p.readBool(key, trim(value))
	p.skipEnds = skip != nil && *skip
}

// readBool takes every spelling that kube-vip takes. It returns nil, and
// reports a fault, for any other.
func (p *parser) readBool(key, value string) *bool {
	b, err := strconv.ParseBool(value)
	if err != nil {
		p.report(Error, key, value, `must be "true" or "false"`)
		return nil
	}
	return &b
}

// report adds a fault of a key as a whole.
func (p *parser) report(severity Severity, key, value, reason string) {
	p.Add(Fault{Severity: severity, Key: key, Value: value, Reason: reason})
}

func (p *parser) scope(name string) *scope {
	s := p.scopes[name]
	if s == nil {
		s = &scope{name: name}
		p.scopes[name] = s
	}
	return s
}
