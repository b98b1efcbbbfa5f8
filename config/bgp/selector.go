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

// selector is a LabelSelector as Kubernetes has it.
func (p *parser) selector(into *labels.Selector) content {
	return content{
		kind: "Kubernetes' LabelSelector",
		read: func(node *yaml.Node) {
			selector := labels.Everything()
			p.object(node, p.fieldsOfSelector(&selector))
			*into = selector
		},
	}
}

func (p *parser) fieldsOfSelector(into *labels.Selector) fields {
	return fields{
		{
			name: "matchLabels", example: "{tier: front}",
			content: content{
				kind: "map of labels",
				read: func(value *yaml.Node) { *into = (*into).Add(p.readMatchLabels(value)...) },
			},
			text: "labels that have to be there, with these values",
		},
		{
			name: "matchExpressions", example: "[{key: tier, operator: In, values: [front, edge]}]",
			content: content{
				kind: "list of expressions",
				read: func(value *yaml.Node) {
					p.list(value, func(item *yaml.Node) { *into = (*into).Add(p.readExpression(item)...) })
				},
				fields: func() fields { return p.fieldsOfExpression(new(expression)) },
			},
			text: "what else has to be true of labels",
		},
	}
}

func (p *parser) readMatchLabels(node *yaml.Node) labels.Requirements {
	if !p.is(node, yaml.MappingNode) {
		return nil
	}
	// Keys are the user's own here: each is read by itself.
	var known fields
	var all labels.Requirements
	for i := 0; i+1 < len(node.Content); i += 2 {
		at := node.Content[i]
		if at.Kind != yaml.ScalarNode {
			continue // which object reports
		}
		known = append(known, field{name: at.Value, content: content{read: func(value *yaml.Node) {
			var key, wanted string
			scalar(p, &wanted, parseLabelValue, tagString)(value)
			if at.ShortTag() != "!!merge" {
				scalar(p, &key, parseLabelKey, anyTag()...)(at)
			}
			all = append(all, p.requirement(at, key, selection.Equals, []string{wanted})...)
		}}})
	}
	p.object(node, known)
	return all
}

// expression is one of matchExpressions.
type expression struct {
	key, operator string
	values        []string
}

func (p *parser) fieldsOfExpression(e *expression) fields {
	return fields{
		{
			name: "key", required: true, example: "tier",
			content: text(p, &e.key, kind[string]{parseLabelKey, "label's key"}),
			text:    "the label",
		},
		{
			name: "operator", required: true, example: "Exists",
			content: text(p, &e.operator, kind[string]{parseOperator, "`In`, `NotIn`, `Exists` or `DoesNotExist`"}),
			text:    "what is to be true of it",
		},
		{
			name: "values", example: "[front, edge]",
			content: content{
				kind: "list of label values",
				read: func(value *yaml.Node) {
					p.list(value, func(item *yaml.Node) {
						var one string
						scalar(p, &one, parseLabelValue, tagString)(item)
						e.values = append(e.values, one)
					})
				},
			},
			text: "with `In` and `NotIn`: its values",
		},
	}
}

// readExpression reads one of matchExpressions.
func (p *parser) readExpression(node *yaml.Node) labels.Requirements {
	var e expression
	at := p.object(node, p.fieldsOfExpression(&e))
	listed := at["values"]
	switch op := operators()[e.operator]; {
	case op == "":
		return nil
	case (op == selection.In || op == selection.NotIn) && len(e.values) == 0:
		p.error(at["operator"], "without values")
		return nil
	case (op == selection.Exists || op == selection.DoesNotExist) && listed != nil:
		p.error(listed, fmt.Sprintf("%s has no values", e.operator))
		return nil
	default:
		return p.requirement(node, e.key, op, e.values)
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
