package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2/types"
)

// outcome is what came of a case.
type outcome struct {
	name, result, message string
	took                  time.Duration
}

// outcomeOf returns a case's, if it was to be run at all.
func outcomeOf(spec types.SpecReport) (outcome, bool) {
	if spec.LeafNodeType != types.NodeTypeIt || spec.NumAttempts == 0 {
		return outcome{}, false
	}
	return outcome{nameOf(spec.FullText()), spec.State.String(), spec.Failure.Message, spec.RunTime}, true
}

// tag is what a case's text has beside its words: features, how slow it is, and so on.
var tag = regexp.MustCompile(` \[(?:[A-Z][^\]]*)\]`)

// nameOf returns a case's text without tags, but with the group that it is of.
func nameOf(text string) string { return tag.ReplaceAllString(text, "") }

// readTable reads the results that a page has in its tables: the case in backquotes, the
// result, and what else there is to say.
func readTable(page string) (map[string]string, error) {
	text, err := os.ReadFile(page)
	if err != nil {
		return nil, err
	}
	return parseTable(string(text)), nil
}

func parseTable(text string) map[string]string {
	table := map[string]string{}
	for line := range strings.Lines(text) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		name, quoted := strings.CutPrefix(strings.TrimSpace(cells[1]), "`[sig-")
		if quoted {
			table["[sig-"+strings.TrimSuffix(name, "`")] = strings.TrimSpace(cells[2])
		}
	}
	return table
}

// compare prints what came of each case, and returns an error if that is not what the table
// says. With some, those that did not run may be missing.
func compare(table map[string]string, outcomes []outcome, some bool, out io.Writer) error {
	slices.SortFunc(outcomes, func(a, b outcome) int { return cmp.Compare(a.name, b.name) })
	missing := maps.Clone(table)
	var differences []error
	for _, o := range outcomes {
		delete(missing, o.name)
		fmt.Fprintf(out, "%-7s %5s  %s\n", o.result, o.took.Round(time.Second), o.name)
		if want := table[o.name]; want != o.result {
			differences = append(differences, fmt.Errorf("%s: %s, and docs/conformance.md has %q\n%s", o.name, o.result, want, o.message))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		if !some {
			differences = append(differences, fmt.Errorf("%s: in docs/conformance.md, and was not run", name))
		}
	}
	return errors.Join(differences...)
}

// summary counts results.
func summary(outcomes []outcome) string {
	counts := map[string]int{}
	for _, o := range outcomes {
		counts[o.result]++
	}
	var parts []string
	for _, result := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[result], result))
	}
	return fmt.Sprintf("%d cases: %s", len(outcomes), strings.Join(parts, ", "))
}
