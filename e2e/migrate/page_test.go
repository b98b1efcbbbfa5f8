package migrate

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// page is the commands of a document: the blocks of code below each heading and each
// numbered step, by the heading or by what is bold at the step's begin.
type page map[string][]string

var (
	heading = regexp.MustCompile(`^## (.+)$`)
	step    = regexp.MustCompile(`^\d+\. \*\*(.+?)[,.]?\*\*`)
)

// readPage returns those of a file.
func readPage(file string) (page, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return parsePage(string(text)), nil
}

func parsePage(text string) page {
	const code = "    " // a step's text has less before it
	p := page{}
	var name string
	inside := false
	for line := range strings.Lines(text) {
		for _, begins := range []*regexp.Regexp{heading, step} {
			if match := begins.FindStringSubmatch(strings.TrimSpace(line)); match != nil {
				name = match[1]
			}
		}
		switch command, ok := strings.CutPrefix(line, code); {
		case !ok:
			inside = false
		case inside:
			p[name][len(p[name])-1] += command
		default:
			inside = true
			p[name] = append(p[name], command)
		}
	}
	return p
}

// block returns the nth block of code, from 0, with other words in the place of those that a
// reader has to replace.
func (p page) block(name string, n int, words ...string) (string, error) {
	if n >= len(p[name]) {
		return "", fmt.Errorf("%q has %d blocks of code", name, len(p[name]))
	}
	return strings.NewReplacer(words...).Replace(p[name][n]), nil
}

func TestParsePage(t *testing.T) {
	p := parsePage(`# Title
## The move
Words.

1. **Write down** what
   there is.

       first
         second

2. **Convert,** and read.

       third

## The way back
It is.

    fourth NAME

More.

    fifth
`)
	for name, want := range map[string][]string{
		"Write down":   {"   first\n     second\n"},
		"Convert":      {"   third\n"},
		"The way back": {"fourth NAME\n", "fifth\n"},
	} {
		if !slices.Equal(p[name], want) {
			t.Errorf("%s: got %q, want %q", name, p[name], want)
		}
	}
	if got, err := p.block("The way back", 0, "NAME", "name"); got != "fourth name\n" || err != nil {
		t.Errorf("a block: got %q, %v", got, err)
	}
	if _, err := p.block("Convert", 1); err == nil {
		t.Error("a block that is not there")
	}
}
