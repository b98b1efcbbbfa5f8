package kustomize

import (
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInstall(t *testing.T) {
	text, err := Install("../../deploy/base", "registry.example:5000/herald", "v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, match := range regexp.MustCompile(`(?m)^ *image: (\S+)$`).FindAllSubmatch(text, -1) {
		got = append(got, string(match[1]))
	}
	want := slices.Repeat([]string{"registry.example:5000/herald:v1.2.3"}, 3)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
}

func TestNoKustomization(t *testing.T) {
	if _, err := Render(t.TempDir()); err == nil {
		t.Error("an empty folder was rendered")
	}
}
