package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// constants returns the strings of the constants of a package whose names begin like this.
func constants(t *testing.T, dir string, prefixes ...string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v, %v", dir, files, err)
	}
	pattern := regexp.MustCompile("^(" + strings.Join(prefixes, "|") + ")[A-Z]")
	var found []string
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok || len(spec.Values) == 0 || !pattern.MatchString(spec.Names[0].Name) {
				return true
			}
			if literal, ok := spec.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, text)
			}
			return true
		})
	}
	if len(found) == 0 {
		t.Fatalf("%s has no constants %s", dir, pattern)
	}
	return found
}

func topic(t *testing.T, name string) string {
	t.Helper()
	text, err := topicTexts.ReadFile("topics/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTopicsComplete has the topics name all that the code knows.
func TestTopicsComplete(t *testing.T) {
	const controllers = "../../controllers/"
	for name, words := range map[string][]string{
		"annotations": constants(t, controllers+"loadbalancer", "Annotation", "kubeVIP", "metalLB"),
		"conditions": append(constants(t, controllers+"loadbalancer", "Condition", "Reason"),
			constants(t, controllers+"announcement", "Reason")...),
		"pools": append(constants(t, "../../config", "prefix"), constants(t, "../../config", "key")...),
	} {
		text := topic(t, name)
		for _, word := range words {
			if strings.HasSuffix(word, "-") {
				word += "NAMESPACE"
			}
			if !regexp.MustCompile(`(^|[\s(])` + regexp.QuoteMeta(word) + `($|[\s,:)])`).MatchString(text) {
				t.Errorf("herald help %s does not tell of %s", name, word)
			}
		}
	}
}

// TestTopicsExamples has herald check take the manifests in the topics.
func TestTopicsExamples(t *testing.T) {
	for _, name := range []string{"pools", "bgp"} {
		_, manifest, found := strings.Cut(topic(t, name), "\n\n  apiVersion:")
		if !found {
			t.Errorf("herald help %s has no manifest", name)
			continue
		}
		manifest, _, _ = strings.Cut("  apiVersion:"+manifest, "\n\n")
		manifest = regexp.MustCompile(`(?m)^  `).ReplaceAllString(manifest, "")
		file := filepath.Join(t.TempDir(), "pool.yaml")
		if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
			t.Fatal(err)
		}
		checked, err := check(strings.NewReader(""), file, "")
		if err != nil || !checked.Valid {
			t.Errorf("herald help %s: %+v, %v", name, checked, err)
		}
	}
}

func TestTopicsNarrow(t *testing.T) {
	for _, topicCommand := range newTopics() {
		for line := range strings.Lines(topicCommand.Long) {
			if len([]rune(line)) > 100 || strings.Contains(line, "\t") {
				t.Errorf("herald help %s: too wide for a terminal: %s", topicCommand.Name(), line)
			}
		}
	}
}
