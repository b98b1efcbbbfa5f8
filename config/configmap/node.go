package configmap

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// isString tells whether kubectl reads a scalar as a string. It follows YAML
// 1.1, where more words than in this decoder's YAML 1.2 are booleans.
func isString(value *yaml.Node) bool {
	if value.Style == 0 && slices.Contains([]string{
		"y", "Y", "yes", "Yes", "YES", "on", "On", "ON",
		"n", "N", "no", "No", "NO", "off", "Off", "OFF",
	}, value.Value) {
		return false
	}
	return value.ShortTag() == "!!str"
}

// field returns the value of a key, or nil if object is no map or has no such key.
func field(object *yaml.Node, key string) *yaml.Node {
	if object == nil || object.Kind != yaml.MappingNode {
		return nil
	}
	for pair := range slices.Chunk(object.Content, 2) {
		if pair[0].Value == key {
			return resolve(pair[1])
		}
	}
	return nil
}

// items returns what a list has, or nil.
func items(list *yaml.Node) []*yaml.Node {
	node := field(list, "items")
	if node == nil || node.Kind != yaml.SequenceNode {
		return nil
	}
	return node.Content
}

// scalar returns a scalar's text, or "".
func scalar(node *yaml.Node) string {
	if node == nil || node.Kind != yaml.ScalarNode {
		return ""
	}
	return node.Value
}

// resolve follows an alias to what it stands for.
func resolve(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}
