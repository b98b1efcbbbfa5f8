package main

import (
	"go/ast"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/heraldlb/herald/config"
	"github.com/heraldlb/herald/config/configmap"
)

const root = "../.."

func reference(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, output))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestFresh has the reference say what the code says.
func TestFresh(t *testing.T) {
	want, err := generate(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	if reference(t) != string(want) {
		t.Error(output + " is not what the code says; run: make docs")
	}
}

// TestExamples has the parser take the manifests that are shown.
func TestExamples(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(reference(t), -1)
	if len(blocks) == 0 {
		t.Error("no example")
	}
	for _, block := range blocks {
		all, err := configmap.Read(strings.NewReader(block[1]))
		if err != nil || len(all) != 1 {
			t.Fatalf("%v, %d ConfigMaps in\n%s", err, len(all), block[1])
		}
		if parsed, faults := config.Parse(all[0].Data); parsed == nil || len(faults) > 0 {
			t.Errorf("%v in\n%s", faults, block[1])
		}
	}
}

// TestComplete has the reference tell of every name that the code has for what others
// write or read: annotations, conditions, classes, variables.
func TestComplete(t *testing.T) {
	text := reference(t)
	for _, file := range sources(t) {
		ast.Inspect(file, func(node ast.Node) bool {
			for _, name := range names(node) {
				if !regexp.MustCompile(regexp.QuoteMeta(name) + `($|[^\w-])`).MatchString(text) {
					t.Errorf("%s does not tell of %s", output, name)
				}
			}
			return true
		})
	}
}

// names returns what a piece of code says of them.
func names(node ast.Node) []string {
	switch piece := node.(type) {
	case *ast.BasicLit:
		if name := literal(piece); regexp.MustCompile(`^heraldlb\.io/[\w-]+$`).MatchString(name) {
			return []string{name}
		}
	case *ast.CallExpr:
		var called string
		switch function := piece.Fun.(type) {
		case *ast.Ident:
			called = function.Name
		case *ast.SelectorExpr:
			called = function.Sel.Name
		}
		at, reads := map[string]int{"Getenv": 0, "LookupEnv": 0, "variable": 1}[called]
		if reads && at < len(piece.Args) && literal(piece.Args[at]) != "" {
			return []string{literal(piece.Args[at])}
		}
	}
	return nil
}

// sources parses the main module but for its tests and what serves them.
func sources(t *testing.T) []*ast.File {
	t.Helper()
	var files []*ast.File
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || !entry.IsDir():
			return err
		case slices.Contains([]string{".git", "bin", "dist", "e2e", "release", "testdata"}, entry.Name()), strings.HasSuffix(entry.Name(), "test"):
			return fs.SkipDir
		}
		here, err := source{}.files(path)
		files = append(files, here...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no code")
	}
	return files
}

func TestCutDefault(t *testing.T) {
	for text, want := range map[string][2]string{
		`text or json (default "text")`:                {"text or json", "text"},
		"a port (default with -x 9646) (default 9645)": {"a port (default with -x 9646)", "9645"},
		"repeatable (default [a/b])":                   {"repeatable", "a/b"},
		"kubeconfig file (default: $KUBECONFIG)":       {"kubeconfig file (default: $KUBECONFIG)", ""},
		"a cost":                                       {"a cost", ""},
	} {
		if what, value := cutDefault(text); [2]string{what, value} != want {
			t.Errorf("%s: %q, %q", text, what, value)
		}
	}
}
