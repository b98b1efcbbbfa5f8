package main

import (
	"fmt"
	"strings"

	"github.com/heraldlb/herald/config"
	"github.com/heraldlb/herald/config/bgp"
	"github.com/heraldlb/herald/controllers/loadbalancer"
	"github.com/heraldlb/herald/manifest/settings"
)

// keys are those of the ConfigMap.
func keys() string {
	rows := [][]string{{"key", "value", "without it", "example", "what it does"}}
	for _, key := range config.Keys() {
		name := key.Name
		if key.Scoped {
			name += "<scope>"
		}
		rows = append(rows, []string{code(name), key.Value, usual(key.Default), code(key.Example), key.Text})
	}
	return table(rows)
}

// usual is a default: one word is a value, more are an explanation.
func usual(text string) string {
	if strings.Contains(text, " ") {
		return text
	}
	return code(text)
}

// bgpFields are those of bgp.yaml under a path such as peers.bfd; "" for the top level.
func bgpFields(path string) (string, error) { return under(bgp.Schema(), path) }

// selectorFields are those of a selector.
func selectorFields(path string) (string, error) { return under(bgp.SelectorSchema(), path) }

func under(fields []bgp.Field, path string) (string, error) {
	for step := range strings.SplitSeq(path, ".") {
		if step == "" {
			break
		}
		var found []bgp.Field
		for _, field := range fields {
			if field.Name == step {
				found = field.Fields
			}
		}
		if found == nil {
			return "", fmt.Errorf("bgp.yaml has nothing under %s", path)
		}
		fields = found
	}
	rows := [][]string{{"key", "value", "without it", "example", "what it does"}}
	for _, field := range fields {
		without := usual(field.Default)
		if field.Required {
			without = "**required**"
		}
		rows = append(rows, []string{code(field.Name), field.Value, without, code(field.Example), field.Text})
	}
	return table(rows), nil
}

// annotations are those of a Service.
func annotations() string {
	rows := [][]string{{"annotation", "also read", "value", "without it", "example", "what it does"}}
	for _, a := range loadbalancer.Annotations() {
		var also []string
		for _, name := range a.Names[1:] {
			also = append(also, code(name))
		}
		rows = append(rows, []string{code(a.Names[0]), strings.Join(also, ", "), a.Value, usual(a.Default), code(a.Example), a.Text})
	}
	return table(rows)
}

// nodeAnnotations are those of a Node.
func nodeAnnotations() string {
	rows := [][]string{{"annotation", "value", "without it", "example", "what it is"}}
	for _, a := range bgp.NodeAnnotations() {
		rows = append(rows, []string{code(a.Name), a.Value, usual(a.Default), code(a.Example), a.Text})
	}
	return table(rows)
}

// kubeVIPs are kube-vip's flags and environment, and Herald's own beside them.
func kubeVIPs() string {
	rows := [][]string{{"flag", "environment", "kube-vip's default", "here", "what it does, or what Herald does instead"}}
	for _, s := range settings.All() {
		flag := ""
		if s.Flag != "" {
			flag = "--" + s.Flag
		}
		rows = append(rows, []string{code(flag), code(s.Env), code(s.Default), s.Outcome.String(), s.Text})
	}
	return table(rows)
}
