package metallb

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/heraldlb/herald/config/fault"
	"github.com/heraldlb/herald/config/internal/spelling"
)

// reader reads YAML's nodes, and collects the faults.
type reader struct {
	resources
	faults []Fault
	at     map[string]Place // the fields of the object that is read, by path below spec
}

// mostFaults bounds what a broken text costs.
const mostFaults = 100

func (r *reader) fault(at *yaml.Node, reason string) {
	if len(r.faults) < mostFaults {
		r.faults = append(r.faults, Fault{place(at), reason})
	}
}

func place(node *yaml.Node) Place { return Place{node.Line, node.Column} }

// fields are the keys that a map may have, each with what reads its value.
type fields map[string]func(path string, value *yaml.Node)

// object reads a map whose keys are all known. What is null is not there, as
// Kubernetes has it.
func (r *reader) object(path string, node *yaml.Node, known fields) {
	if !r.is(node, yaml.MappingNode) {
		return
	}
	seen := make(map[string]int)
	for pair := range slices.Chunk(node.Content, 2) {
		key, value := pair[0], pair[1]
		read, ok := known[key.Value]
		first, twice := seen[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || key.ShortTag() == tagMerge:
			r.fault(key, "not a key; YAML's merges are not read here, write it out")
		case twice:
			r.fault(key, fmt.Sprintf("%s is there twice, first on line %d", fault.Quote(key.Value), first))
		case !ok:
			r.fault(key, "unknown field "+fault.Quote(key.Value)+didYouMean(key.Value, slices.Sorted(maps.Keys(known))))
		default:
			seen[key.Value] = key.Line
			below := join(path, key.Value)
			if r.at != nil {
				r.at[below] = place(key)
			}
			if r.isThere(value) {
				read(below, value)
			}
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// list returns what reads each item of a list.
func (r *reader) list(read func(path string, item *yaml.Node)) func(string, *yaml.Node) {
	return func(path string, node *yaml.Node) {
		if !r.is(node, yaml.SequenceNode) {
			return
		}
		for i, item := range node.Content {
			below := fmt.Sprintf("%s[%d]", path, i)
			if r.at != nil {
				r.at[below] = place(item)
			}
			if r.isThere(item) {
				read(below, item)
			}
		}
	}
}

// isThere tells whether a value is one, and reports what stands for another.
func (r *reader) isThere(value *yaml.Node) bool {
	if value.Kind == yaml.AliasNode {
		r.fault(value, "YAML's aliases are not read here; write it out")
		return false
	}
	return value.Kind != yaml.ScalarNode || value.ShortTag() != tagNull
}

// is reports a node of another kind.
func (r *reader) is(node *yaml.Node, kind yaml.Kind) bool {
	if node.Kind == kind {
		return true
	}
	names := map[yaml.Kind]string{yaml.MappingNode: "a map", yaml.SequenceNode: "a list", yaml.ScalarNode: "one value"}
	r.fault(node, "not "+names[kind])
	return false
}

// The types of values.
const (
	tagString = "!!str"
	tagInt    = "!!int"
	tagBool   = "!!bool"
	tagNull   = "!!null"
	tagMerge  = "!!merge"
)

// scalar returns what reads a value of one type.
func scalar[T any](r *reader, tag, what string, use func(path string, value T)) func(string, *yaml.Node) {
	return func(path string, node *yaml.Node) {
		if !r.is(node, yaml.ScalarNode) {
			return
		}
		var value T
		if node.ShortTag() != tag || node.Decode(&value) != nil {
			r.fault(node, fmt.Sprintf("%s is not %s", fault.Quote(node.Value), what))
			return
		}
		use(path, value)
	}
}

func text(r *reader, into *string) func(string, *yaml.Node) {
	return scalar(r, tagString, "a string", func(_ string, value string) { *into = value })
}

func texts(r *reader, into *[]string) func(string, *yaml.Node) {
	return r.list(scalar(r, tagString, "a string", func(_ string, value string) { *into = append(*into, value) }))
}

func boolean(r *reader, into *bool) func(string, *yaml.Node) {
	return scalar(r, tagBool, "true or false", func(_ string, value bool) { *into = value })
}

func integer[T int | uint8 | uint16 | uint32](r *reader, into *T) func(string, *yaml.Node) {
	return scalar(r, tagInt, "a number that fits here", func(_ string, value T) { *into = value })
}

// optional is integer for what is nil if it is not there.
func optional[T int | uint8 | uint16 | uint32](r *reader, into **T) func(string, *yaml.Node) {
	return scalar(r, tagInt, "a number that fits here", func(_ string, value T) { *into = &value })
}

func duration(r *reader, into **time.Duration) func(string, *yaml.Node) {
	return func(path string, node *yaml.Node) {
		scalar(r, tagString, "a duration such as 90s", func(_ string, value string) {
			d, err := time.ParseDuration(value)
			if err != nil {
				r.fault(node, fault.Quote(value)+" is not a duration such as 90s")
				return
			}
			*into = &d
		})(path, node)
	}
}

// didYouMean ends a reason with the known word that an unknown one resembles.
func didYouMean(written string, known []string) string {
	if word := spelling.Nearest(written, known); word != "" {
		return "; did you mean " + word + "?"
	}
	return ""
}
