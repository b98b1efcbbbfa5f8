package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the documentation has a reader print is printed.
func TestDocumentedManifests(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile("herald (manifest (?:pod|daemonset|rbac) [^>`\n]*--[^>`\n]*)")
	plain := strings.NewReplacer("'", "", "[", "", "]", "", "$HERALD", "registry.example/herald:v0.1.0")
	found := 0
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range command.FindAllStringSubmatch(strings.ReplaceAll(string(text), "\\\n", ""), -1) {
			found++
			line := plain.Replace(match[1])
			if stdout, _, err := herald(t, line); err != nil || stdout == "" {
				t.Errorf("%s: herald %s: %v", filepath.Base(page), line, err)
			}
		}
	}
	if found < 5 {
		t.Errorf("found %d commands", found)
	}
}
