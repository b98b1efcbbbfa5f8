package metallb

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// PasswordSecret names the Secret of BGP passwords, beside the ConfigMap.
const PasswordSecret = "herald-bgp"

// Manifest returns the ConfigMap as kubectl takes it. Above it stands what file's
// resources said that it does not, and how to make the Secret that it needs.
func (c *Conversion) Manifest(namespace, name, file string) string {
	var text strings.Builder
	comment := func(format string, args ...any) {
		fmt.Fprintln(&text, strings.TrimRight("# "+printable(fmt.Sprintf(format, args...)), " "))
	}
	comment("MetalLB's resources in %s, by herald convert; herald check says what comes of it.", file)
	for _, leftOut := range []bool{true, false} {
		notes := slices.DeleteFunc(slices.Clone(c.Notes), func(n Note) bool { return n.LeftOut != leftOut })
		if len(notes) == 0 {
			continue
		}
		comment("")
		if leftOut {
			comment("Left out:")
		} else {
			comment("In another way:")
		}
		for _, n := range notes {
			comment("- %d:%d %s", n.Line, n.Column, n)
		}
	}
	if len(c.Passwords) > 0 {
		comment("")
		comment("The passwords, which have to be there first:")
		comment("  kubectl create secret generic %s -n %s%s", PasswordSecret, namespace, c.literals())
	}
	text.WriteString(manifest(namespace, name, c.Data))
	return text.String()
}

// literals are the arguments that copy the passwords, whatever they are.
func (c *Conversion) literals() string {
	var args strings.Builder
	for _, p := range c.Passwords {
		namespace := p.Namespace
		if namespace == "" {
			namespace = "metallb-system"
		}
		from := fmt.Sprintf("kubectl get bgppeers.metallb.io %s -n %s -o jsonpath='{.spec.password}'", p.Peer, namespace)
		if p.Secret != "" {
			from = fmt.Sprintf("kubectl get secret %s -n %s -o jsonpath='{.data.password}' | base64 -d", p.Secret, namespace)
		}
		fmt.Fprintf(&args, ` --from-literal=%s="$(%s)"`, p.Key, from)
	}
	return args.String()
}

// printable keeps a comment on its line.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == 0x85 || c == 0x2028 || c == 0x2029 || c == 0xfeff {
			return '?'
		}
		return c
	}, strings.ToValidUTF8(text, "?"))
}

// manifest returns the ConfigMap without a comment.
func manifest(namespace, name string, data map[string]string) string {
	type metadata struct {
		Name      string `yaml:"name"`
		Namespace string `yaml:"namespace"`
	}
	var text strings.Builder
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(struct {
		APIVersion string            `yaml:"apiVersion"`
		Kind       string            `yaml:"kind"`
		Metadata   metadata          `yaml:"metadata"`
		Data       map[string]string `yaml:"data"`
	}{"v1", "ConfigMap", metadata{name, namespace}, data}); err != nil {
		panic(err) // not to a builder, and not of these types
	}
	return text.String()
}
