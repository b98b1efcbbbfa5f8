// Command reference writes docs/configuration.md: what can be set, and what Herald says
// in return, from the tables and the comments of the code that reads and says it. It runs
// in the root of the tree: `make docs`.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
)

const output = "docs/configuration.md"

func main() {
	if err := write(context.Background(), "."); err != nil { //nolint:forbidigo // this is main
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

func write(ctx context.Context, root string) error {
	text, err := generate(ctx, root)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, output), text, 0o644) //nolint:gosec // for everybody to read
}

//go:embed configuration.md.tmpl
var layout string

// generate returns the reference of the tree at root.
func generate(ctx context.Context, root string) (page []byte, err error) {
	programs, err := build(ctx, root)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(programs.dir)) }()
	source := source{root}
	parsed, err := template.New(output).Funcs(template.FuncMap{
		"keys":        keys,
		"bgp":         bgpFields,
		"selector":    selectorFields,
		"annotations": annotations,
		"node":        nodeAnnotations,
		"reasons":     source.reasons,
		"events":      source.events,
		"commands":    func() (string, error) { return programs.commands(ctx) },
		"settings":    kubeVIPs,
		"environment": environment,
	}).Parse(layout)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := parsed.Execute(&text, nil); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}
