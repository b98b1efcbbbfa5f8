package notes

import (
	"errors"
	"os"
	"strings"
	"testing"
)

const changelog = `# Changelog

## Unreleased

### Added
- New.

## [1.1.0] - 2026-01-02
- Newer.

## v1.0.0
- First.
`

func TestOf(t *testing.T) {
	for version, want := range map[string]string{
		"v1.0.0": "- First.", "1.1.0": "- Newer.", "v1.1.0": "- Newer.",
		"v2.0.0": "### Added\n- New.", "0123abc-dirty": "### Added\n- New.",
	} {
		if got, err := Of(changelog, version); got != want || err != nil {
			t.Errorf("Of(%s) = %q, %v, want %q", version, got, err, want)
		}
	}
	if _, err := Of("# Changelog\n\n## 1.0.0\n- First.\n", "v2.0.0"); !errors.Is(err, ErrNone) {
		t.Errorf("a version that is not there: %v", err)
	}
}

func TestOwnChangelog(t *testing.T) {
	text, err := os.ReadFile("../../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Of(string(text), "v999.0.0"); err != nil || !strings.HasPrefix(got, "### ") {
		t.Errorf("Of(CHANGELOG.md) = %.40q, %v", got, err)
	}
}
