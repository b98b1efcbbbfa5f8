package metallb

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// selector is a LabelSelector: all of its requirements. Without any it selects all.
type selector []requirement

type requirement struct {
	key, operator string
	values        []string
}

// The operators of a LabelSelector, and what each is not.
const (
	opIn           = "In"
	opNotIn        = "NotIn"
	opExists       = "Exists"
	opDoesNotExist = "DoesNotExist"
)

// selectors returns what reads a list, of which one has to match.
func (r *reader) selectors(into *[]selector) func(string, *yaml.Node) {
	return r.list(func(path string, node *yaml.Node) {
		var s selector
		r.selector(&s)(path, node)
		*into = append(*into, s)
	})
}

func (r *reader) selector(into *selector) func(string, *yaml.Node) {
	return func(path string, node *yaml.Node) {
		r.object(path, node, fields{
			"matchLabels": func(_ string, value *yaml.Node) { *into = append(*into, r.matchLabels(value)...) },
			"matchExpressions": r.list(func(path string, item *yaml.Node) {
				var one requirement
				r.object(path, item, fields{"key": text(r, &one.key), "operator": text(r, &one.operator), "values": texts(r, &one.values)})
				if reason := one.fault(); reason != "" {
					r.fault(item, reason)
				}
				*into = append(*into, one)
			}),
		})
	}
}

// matchLabels reads a map whose keys are the user's own.
func (r *reader) matchLabels(node *yaml.Node) (all []requirement) {
	if !r.is(node, yaml.MappingNode) {
		return nil
	}
	for pair := range slices.Chunk(node.Content, 2) {
		key, value := pair[0], pair[1]
		if key.Kind != yaml.ScalarNode || key.ShortTag() == tagMerge {
			r.fault(key, "not a label's key")
			continue
		}
		var wanted string
		text(r, &wanted)("", value)
		all = append(all, requirement{key.Value, opIn, []string{wanted}})
	}
	return all
}

// fault says what Kubernetes would refuse; "" if nothing.
func (q requirement) fault() string {
	switch q.operator {
	case opIn, opNotIn:
		if len(q.values) == 0 {
			return q.operator + " without values"
		}
	case opExists, opDoesNotExist:
		if len(q.values) > 0 {
			return q.operator + " has no values"
		}
	default:
		return "the operator is not one of In, NotIn, Exists, DoesNotExist"
	}
	return ""
}

// matches tells whether labels are selected.
func (s selector) matches(labels map[string]string) bool {
	return !slices.ContainsFunc(s, func(q requirement) bool { return !q.matches(labels) })
}

func (q requirement) matches(labels map[string]string) bool {
	value, there := labels[q.key]
	switch q.operator {
	case opIn:
		return there && slices.Contains(q.values, value)
	case opNotIn:
		return !there || !slices.Contains(q.values, value)
	case opExists:
		return there
	}
	return !there
}

// not returns what matches all that the requirement does not.
func (q requirement) not() requirement {
	other := map[string]string{opIn: opNotIn, opNotIn: opIn, opExists: opDoesNotExist, opDoesNotExist: opExists}
	q.operator = other[q.operator]
	return q
}

// plain returns the selector with the fewest requirements, by key, that selects the
// same; false if nothing has such labels.
func (s selector) plain() (selector, bool) {
	byKey := make(map[string][]requirement)
	for _, q := range s {
		byKey[q.key] = append(byKey[q.key], q)
	}
	var all selector
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		q, possible := intersect(key, byKey[key])
		if !possible {
			return nil, false
		}
		all = append(all, q...)
	}
	return all, true
}

// intersect unites what is required of one key.
func intersect(key string, all []requirement) (selector, bool) {
	var in, notIn []string
	given, exists, missing := false, false, false
	for _, q := range all {
		switch {
		case q.operator == opIn && given:
			in = slices.DeleteFunc(in, func(v string) bool { return !slices.Contains(q.values, v) })
		case q.operator == opIn:
			in, given = slices.Clone(q.values), true
		case q.operator == opNotIn:
			notIn = append(notIn, q.values...)
		case q.operator == opExists:
			exists = true
		default:
			missing = true
		}
	}
	slices.Sort(notIn)
	notIn = slices.Compact(notIn)
	in = slices.DeleteFunc(in, func(v string) bool { return slices.Contains(notIn, v) })
	slices.Sort(in)
	in = slices.Compact(in)
	switch {
	case missing && (given || exists), given && len(in) == 0:
		return nil, false
	case missing:
		return selector{{key, opDoesNotExist, nil}}, true
	case given:
		return selector{{key, opIn, in}}, true
	}
	var plain selector
	if exists {
		plain = append(plain, requirement{key, opExists, nil})
	}
	if len(notIn) > 0 {
		plain = append(plain, requirement{key, opNotIn, notIn})
	}
	return plain, true
}

// mostParts bounds into how many selectors a list of them is taken apart.
const mostParts = 16

// parts returns selectors of which just one matches what any of a list does, and none
// anything else: Herald's peers and advertisements have one selector each. It returns
// one that selects all for an empty list, and false if there would be too many.
func parts(list []selector) ([]selector, bool) {
	if len(list) == 0 {
		return []selector{nil}, true
	}
	if one, ok := united(list); ok {
		return []selector{one}, true
	}
	var all []selector
	for i, s := range list {
		var left []selector
		if s, possible := s.plain(); possible {
			left = append(left, s)
		}
		for _, before := range list[:i] {
			var without []selector
			for _, part := range left {
				without = append(without, part.less(before)...)
			}
			if left = without; len(left) > mostParts {
				return nil, false
			}
		}
		if all = append(all, left...); len(all) > mostParts {
			return nil, false
		}
	}
	return all, true
}

// less returns what s selects and other does not, in parts.
func (s selector) less(other selector) (all []selector) {
	for i, q := range other {
		part := slices.Concat(s, other[:i], selector{q.not()})
		if part, possible := part.plain(); possible {
			all = append(all, part)
		}
	}
	return all
}

// united returns one selector for several that ask for values of one key, such as the
// names of hosts.
func united(list []selector) (selector, bool) {
	var one requirement
	for _, s := range list {
		s, possible := s.plain()
		if !possible || len(s) != 1 || s[0].operator != opIn || one.key != "" && s[0].key != one.key {
			return nil, false
		}
		one = requirement{s[0].key, opIn, append(one.values, s[0].values...)}
	}
	slices.Sort(one.values)
	one.values = slices.Compact(one.values)
	return selector{one}, true
}
