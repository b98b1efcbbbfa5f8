package bgp

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/util/validation"
)

// readSelector reads a LabelSelector as Kubernetes has it.
func (p *parser) readSelector(node *yaml.Node) labels.Selector {
	selector := labels.Everything()
	p.object(node, fields{
		"matchLabels": func(value *yaml.Node) {
			selector = selector.Add(p.readMatchLabels(value)...)
		},
		"matchExpressions": func(value *yaml.Node) {
			p.list(value, func(item *yaml.Node) {
				selector = selector.Add(p.readExpression(item)...)
			})
		},
	})
	return selector
}

func (p *parser) readMatchLabels(node *yaml.Node) labels.Requirements {
	if !p.is(node, yaml.MappingNode) {
		return nil
	}
	// Keys are the user's own here: each is read by itself.
	known := make(fields)
	var all labels.Requirements
	for i := 0; i+1 < len(node.Content); i += 2 {
		at := node.Content[i]
		if at.Kind != yaml.ScalarNode {
			continue // which object reports
		}
		known[at.Value] = func(value *yaml.Node) {
			var key, wanted string
			text(p, &wanted, parseLabelValue)(value)
			if at.ShortTag() != "!!merge" {
				either(p, &key, parseLabelKey)(at)
			}
			all = append(all, p.requirement(at, key, selection.Equals, []string{wanted})...)
		}
	}
	p.object(node, known)
	return all
}

// readExpression reads one of matchExpressions.
func (p *parser) readExpression(node *yaml.Node) labels.Requirements {
	var key, operator string
	var values []string
	at := p.object(node, fields{
		"key":      text(p, &key, parseLabelKey),
		"operator": text(p, &operator, parseOperator),
		"values": func(value *yaml.Node) {
			p.list(value, func(item *yaml.Node) {
				var one string
				text(p, &one, parseLabelValue)(item)
				values = append(values, one)
			})
		},
	})
	p.require(node, at, "key", "operator")
	listed := at["values"]
	switch op := operators()[operator]; {
	case op == "":
		return nil
	case (op == selection.In || op == selection.NotIn) && len(values) == 0:
		p.error(at["operator"], "without values")
		return nil
	case (op == selection.Exists || op == selection.DoesNotExist) && listed != nil:
		p.error(listed, fmt.Sprintf("%s has no values", operator))
		return nil
	default:
		return p.requirement(node, key, op, values)
	}
}

// requirement makes one of what was read; none if a part of it had a fault.
func (p *parser) requirement(at *yaml.Node, key string, op selection.Operator, values []string) labels.Requirements {
	if key == "" {
		return nil
	}
	r, err := labels.NewRequirement(key, op, values)
	if err != nil {
		p.error(at, err.Error())
		return nil
	}
	return labels.Requirements{*r}
}

// operators are those of a LabelSelector.
func operators() map[string]selection.Operator {
	return map[string]selection.Operator{
		"In":           selection.In,
		"NotIn":        selection.NotIn,
		"Exists":       selection.Exists,
		"DoesNotExist": selection.DoesNotExist,
	}
}

func parseOperator(text string) (string, error) {
	if operators()[text] == "" {
		known := []string{"In", "NotIn", "Exists", "DoesNotExist"}
		return "", fmt.Errorf("not one of %s%s", strings.Join(known, ", "), didYouMean(text, known))
	}
	return text, nil
}

func parseLabelKey(text string) (string, error) {
	if len(validation.IsQualifiedName(text)) > 0 {
		return "", errors.New("not a label's key: NAME or DOMAIN/NAME, of at most 63 letters, digits, '-', '_' and '.'")
	}
	return text, nil
}

func parseLabelValue(text string) (string, error) {
	if len(validation.IsValidLabelValue(text)) > 0 {
		return "", errors.New("not a label's value: at most 63 letters, digits, '-', '_' and '.'")
	}
	return text, nil
}
