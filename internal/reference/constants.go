package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// source is the tree that the reference is made of.
type source struct{ root string }

// constant is one that has a text, and the comment before it.
type constant struct{ name, value, text string }

// constants returns those of a package whose names begin with a word, in their order. Each
// has a comment, which begins with its name.
func (s source) constants(dir, prefix string) ([]constant, error) {
	files, err := s.files(dir)
	if err != nil {
		return nil, err
	}
	var all []constant
	for _, file := range files {
		for _, spec := range stringConstants(file) {
			name := spec.Names[0].Name
			if !strings.HasPrefix(name, prefix) {
				continue
			}
			text, found := strings.CutPrefix(strings.Join(strings.Fields(spec.Doc.Text()), " "), name)
			if !found {
				return nil, fmt.Errorf("%s: constant %s has no comment that begins with its name", dir, name)
			}
			text = strings.TrimSuffix(strings.TrimSpace(strings.TrimPrefix(text, ":")), ".")
			all = append(all, constant{name, literal(spec.Values[0]), text})
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: no constant %s…", dir, prefix)
	}
	return all, nil
}

// files parses a package but for its tests, or one file of it.
func (s source) files(path string) ([]*ast.File, error) {
	paths := []string{filepath.Join(s.root, path)}
	if !strings.HasSuffix(path, ".go") {
		var err error
		if paths, err = filepath.Glob(filepath.Join(s.root, path, "*.go")); err != nil {
			return nil, err
		}
	}
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

func stringConstants(file *ast.File) (specs []*ast.ValueSpec) {
	for _, declaration := range file.Decls {
		group, ok := declaration.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, one := range group.Specs {
			if spec, ok := one.(*ast.ValueSpec); ok && len(spec.Values) == 1 && literal(spec.Values[0]) != "" {
				if spec.Doc == nil && len(group.Specs) == 1 {
					spec.Doc = group.Doc
				}
				specs = append(specs, spec)
			}
		}
	}
	return specs
}

// literal returns the text of a literal, "" of anything else.
func literal(e ast.Expr) string {
	basic, ok := e.(*ast.BasicLit)
	if !ok || basic.Kind != token.STRING {
		return ""
	}
	text, err := strconv.Unquote(basic.Value)
	if err != nil {
		return ""
	}
	return text
}

// cutStatus parts what stands in brackets at the end of a comment: "(True)".
func cutStatus(text string) (rest, status string) {
	at := strings.LastIndex(text, " (")
	if at < 0 || !strings.HasSuffix(text, ")") {
		return text, ""
	}
	return text[:at], text[at+len(" (") : len(text)-len(")")]
}

// reasons are those of conditions, of a package; False where the comment says nothing else.
func (s source) reasons(dir string) (string, error) {
	return s.explained(dir, "Reason", "status", []string{"True", "False", "Unknown"}, "False")
}

// events are those of a package, or of a file of it.
func (s source) events(path, prefix string) (string, error) {
	return s.explained(path, prefix, "type", []string{"Normal", "Warning"}, "")
}

// explained lists constants, their comments, and what stands in brackets there.
func (s source) explained(path, prefix, head string, known []string, usual string) (string, error) {
	all, err := s.constants(path, prefix)
	if err != nil {
		return "", err
	}
	rows := [][]string{{"reason", head, "says"}}
	for _, one := range all {
		text, status := cutStatus(one.text)
		if !slices.Contains(known, status) {
			text, status = one.text, usual
		}
		if status == "" {
			return "", fmt.Errorf("%s: the comment of %s ends in none of %s", path, one.name, known)
		}
		rows = append(rows, []string{code(one.value), status, text})
	}
	return table(rows), nil
}
