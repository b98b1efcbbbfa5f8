// Package configmap reads ConfigMaps out of manifests, the text that kubectl
// takes and prints. It reads YAML's nodes, not the API type: so each key keeps
// its line, and the first fault does not hide the others.
package configmap

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/heraldlb/herald/config"
)

// ConfigMap is one as it stands in a manifest.
type ConfigMap struct {
	Namespace, Name string
	// Data is nil if there is none. It also has the values that are not
	// strings but could be, so that they can be checked further.
	Data map[string]string
	// Lines tells on which line each key stands, from 1.
	Lines map[string]int
	// Blocks tells on which line a value begins, from 1, if it is a literal block: its
	// lines are the manifest's.
	Blocks map[string]int
	// Faults are why the API server would not take it: all are Errors.
	Faults config.Faults
}

// String returns NAMESPACE/NAME, or the name alone if no namespace is given.
func (c *ConfigMap) String() string {
	if c.Namespace == "" {
		return c.Name
	}
	return c.Namespace + "/" + c.Name
}

// Is tells whether it may be what NAMESPACE/NAME names: in a manifest without
// a namespace it may be of any.
func (c *ConfigMap) Is(name string) bool {
	if c.Namespace != "" {
		return c.String() == name
	}
	_, bare, found := strings.Cut(name, "/")
	return found && c.Name == bare || c.Name == name
}

// Read returns the ConfigMaps in a stream of YAML or JSON documents, alone or
// in lists. Other objects are passed over.
func Read(r io.Reader) ([]*ConfigMap, error) {
	var all []*ConfigMap
	for decoder := yaml.NewDecoder(r); ; {
		var document yaml.Node
		switch err := decoder.Decode(&document); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("neither YAML nor JSON: %w", err)
		}
		for _, object := range document.Content {
			for _, node := range find(object) {
				all = append(all, decode(node))
			}
		}
	}
}

// find returns the ConfigMaps that an object is, or lists.
func find(object *yaml.Node) []*yaml.Node {
	switch scalar(field(object, "kind")) {
	case "ConfigMap":
		return []*yaml.Node{object}
	case "ConfigMapList": // whose items need not say their kind
		return items(object)
	case "List":
		return slices.DeleteFunc(slices.Clone(items(object)), func(item *yaml.Node) bool {
			return scalar(field(item, "kind")) != "ConfigMap"
		})
	}
	return nil
}

func decode(object *yaml.Node) *ConfigMap {
	metadata := field(object, "metadata")
	c := &ConfigMap{
		Namespace: scalar(field(metadata, "namespace")),
		Name:      scalar(field(metadata, "name")),
	}
	data := field(object, "data")
	if data == nil || data.ShortTag() == "!!null" {
		return c
	}
	c.Data, c.Lines = make(map[string]string), make(map[string]int)
	if data.Kind != yaml.MappingNode {
		c.Lines["data"] = data.Line
		c.refuse("data", "", "not a map")
		return c
	}
	for pair := range slices.Chunk(data.Content, 2) {
		c.add(pair[0], resolve(pair[1]))
	}
	return c
}

// add takes one pair of the data.
func (c *ConfigMap) add(key, value *yaml.Node) {
	if first, twice := c.Lines[key.Value]; twice {
		c.refuse(key.Value, "", fmt.Sprintf("the key is there twice, on lines %d and %d", first, key.Line))
		return
	}
	c.Lines[key.Value] = key.Line
	switch {
	case value.Kind != yaml.ScalarNode:
		c.refuse(key.Value, "", "not a string but a list or map")
		return
	case value.ShortTag() == "!!null":
		c.refuse(key.Value, "", "not a string; write a value, or remove the key")
		return
	case !isString(value):
		c.refuse(key.Value, value.Value, fmt.Sprintf("not a string; write %q, with the quotes", value.Value))
	}
	if value.Style&yaml.LiteralStyle != 0 {
		if c.Blocks == nil {
			c.Blocks = make(map[string]int)
		}
		c.Blocks[key.Value] = value.Line + 1
	}
	c.Data[key.Value] = value.Value
}

func (c *ConfigMap) refuse(key, value, reason string) {
	c.Faults = append(c.Faults, config.Fault{Severity: config.Error, Key: key, Value: value, Reason: reason})
}
