// Package notes takes a version's notes out of the changelog.
package notes

import (
	"errors"
	"strings"
)

// unreleased is the section of what has no version yet.
const unreleased = "Unreleased"

// ErrNone says that the changelog has nothing on the version.
var ErrNone = errors.New("the changelog has no section of this version, and none that is unreleased")

// Of returns the section of a version, without its heading: `## 1.2.3`, `## v1.2.3` or
// `## [1.2.3] - 2026-01-02`; or the unreleased one, where there is none.
func Of(changelog, version string) (string, error) {
	sections := make(map[string]string)
	for _, section := range strings.Split("\n"+changelog, "\n## ")[1:] {
		heading, text, _ := strings.Cut(section, "\n")
		name, _, _ := strings.Cut(strings.TrimPrefix(heading, "["), " ")
		name = strings.TrimPrefix(strings.TrimSuffix(name, "]"), "v")
		sections[name] = strings.TrimSpace(text)
	}
	for _, name := range []string{strings.TrimPrefix(version, "v"), unreleased} {
		if text := sections[name]; text != "" {
			return text, nil
		}
	}
	return "", ErrNone
}
