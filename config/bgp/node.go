package bgp

import (
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/heraldlb/herald/config/fault"
	"github.com/heraldlb/herald/config/internal/spelling"
)

// nodes are the values of a map by key: where they stand.
type nodes map[string]*yaml.Node

// object reads a map, in its order. It returns the values that were there.
func (p *parser) object(node *yaml.Node, known fields) nodes {
	if !p.is(node, yaml.MappingNode) {
		return nil
	}
	byName := make(map[string]field)
	for _, f := range known {
		byName[f.name] = f
	}
	there := make(nodes)
	for pair := range slices.Chunk(node.Content, 2) {
		key, value := pair[0], pair[1]
		read := byName[key.Value].content.read
		switch first := there[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			p.error(key, "not a key")
		case key.ShortTag() == "!!merge":
			p.error(key, errAlias)
		case first != nil:
			p.error(key, fmt.Sprintf("the key is there twice, first on line %d", first.Line))
		case read == nil:
			p.error(key, "unknown key"+didYouMean(key.Value, slices.Sorted(maps.Keys(byName))))
		default:
			there[key.Value] = value
			if p.isThere(value) {
				read(value)
			}
		}
	}
	for _, f := range known {
		if f.required && there[f.name] == nil {
			p.error(node, "no "+f.name)
		}
	}
	return there
}

// list reads each item of a list, and tells whether it is one.
func (p *parser) list(node *yaml.Node, read func(item *yaml.Node)) bool {
	if !p.is(node, yaml.SequenceNode) {
		return false
	}
	for _, item := range node.Content {
		if p.isThere(item) {
			read(item)
		}
	}
	return true
}

const errAlias = "YAML's aliases and merges are not read here; write it out"

// isThere reports what stands for nothing, or for something elsewhere.
func (p *parser) isThere(value *yaml.Node) bool {
	switch {
	case value.Kind == yaml.AliasNode:
		p.error(value, errAlias)
	case isNull(value):
		p.error(value, "nothing there; write a value, or remove it")
	default:
		return true
	}
	return false
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" }

// is reports a node of another kind.
func (p *parser) is(node *yaml.Node, kind yaml.Kind) bool {
	if node.Kind == kind {
		return true
	}
	names := map[yaml.Kind]string{yaml.MappingNode: "a map", yaml.SequenceNode: "a list", yaml.ScalarNode: "one value"}
	p.error(node, "not "+names[kind])
	return false
}

// The types of values.
const (
	tagString = "!!str"
	tagInt    = "!!int"
	tagFloat  = "!!float"
	tagBool   = "!!bool"
)

func anyTag() []string { return []string{tagString, tagInt, tagFloat, tagBool} }

// text is a string.
func text[T any](p *parser, into *T, k kind[T]) content {
	return of(k, into, scalar(p, into, k.parse, tagString))
}

// number is a number; one of the form 1.10 too, which the kind may refuse.
func number[T any](p *parser, into *T, k kind[T]) content {
	return of(k, into, scalar(p, into, k.parse, tagInt, tagFloat))
}

// either is a string, number or boolean.
func either[T any](p *parser, into *T, k kind[T]) content {
	return of(k, into, scalar(p, into, k.parse, anyTag()...))
}

// of is what is read into something that has the default.
func of[T any](k kind[T], into *T, read func(*yaml.Node)) content {
	return content{kind: k.words, read: read, usual: func() string { return written(*into) }}
}

// scalar returns what reads a value of one of the types by parse, whose error does
// not repeat the text.
func scalar[T any](p *parser, into *T, parse func(string) (T, error), tags ...string) func(*yaml.Node) {
	return func(value *yaml.Node) {
		if !p.is(value, yaml.ScalarNode) {
			return
		}
		if tag := value.ShortTag(); !slices.Contains(tags, tag) {
			p.error(value, wrongType(value, tags))
			return
		}
		parsed, err := parse(value.Value)
		if err != nil {
			p.error(value, err.Error())
			return
		}
		*into = parsed
	}
}

func wrongType(value *yaml.Node, tags []string) string {
	switch tag := value.ShortTag(); {
	case tag == tagString:
		return "not a number; numbers have no quotes"
	case slices.Contains(tags, tagString) && (tag == tagInt || tag == tagFloat || tag == tagBool):
		return fmt.Sprintf("not a string; write %q, with the quotes", value.Value)
	case slices.Contains(tags, tagString):
		return "not a string"
	}
	return "not a number"
}

func (p *parser) error(at *yaml.Node, reason string) { p.report(fault.Error, at, reason) }

func (p *parser) warn(at *yaml.Node, reason string) { p.report(fault.Warning, at, reason) }

func (p *parser) report(severity fault.Severity, at *yaml.Node, reason string) {
	p.Add(fault.Fault{Severity: severity, Key: Key, Line: at.Line, Column: at.Column, Value: at.Value, Reason: reason})
}

// didYouMean ends a reason with the known word that an unknown one resembles.
func didYouMean(written string, known []string) string {
	if word := spelling.Nearest(written, known); word != "" {
		return "; did you mean " + word + "?"
	}
	return ""
}
