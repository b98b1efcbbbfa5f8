package deploy

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/heraldlb/herald/config"
)

// TestPolicyKeys has the policies know the keys that the parser knows: one warns of all
// others, one checks those with a scope.
func TestPolicyKeys(t *testing.T) {
	known := regexp.MustCompile(pattern(t, "base/pool-warnings.yaml", `!k\.matches\('(.*)'\)`))
	scoped := regexp.MustCompile(pattern(t, "base/pool-policy.yaml", `matches\('(\^\(cidr\|range\|exclude[^)]*\)-)'\)`))
	for _, key := range config.Keys() {
		name := key.Name
		if key.Scoped {
			name += config.Global
			if !scoped.MatchString(name) {
				t.Errorf("pool-policy.yaml does not check %s", name)
			}
		}
		if !known.MatchString(name) {
			t.Errorf("pool-warnings.yaml takes %s for unknown", name)
		}
	}
}

// pattern returns what a file has between the words of another pattern.
func pattern(t *testing.T, file, words string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(words).FindStringSubmatch(string(text))
	if found == nil || strings.Contains(found[1], "'") {
		t.Fatalf("%s has no %s", file, words)
	}
	return found[1]
}
