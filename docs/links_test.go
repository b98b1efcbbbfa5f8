// Package docs holds no code. Its tests follow the links of the documentation, and compare its table of
// metrics with what the roles register.
package docs

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

const root = ".."

// Every link within the repository leads to a file that is there, and to a heading in it.
func TestLinks(t *testing.T) {
	pages := make(map[string]page)
	for _, path := range pagesBelow(t, root) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		pages[path] = read(string(text))
	}
	if len(pages) < 10 {
		t.Fatalf("only %d pages below %s", len(pages), root)
	}
	for path, p := range pages {
		for _, l := range p.links {
			if err := follow(pages, path, l.target); err != nil {
				t.Errorf("%s:%d: %s: %v", strings.TrimPrefix(path, root+"/"), l.line, l.target, err)
			}
		}
	}
}

// pagesBelow returns all Markdown but what is built or other checkouts have.
func pagesBelow(t *testing.T, directory string) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || path == filepath.Join(root, "dist") || path == filepath.Join(root, "bin")):
			return fs.SkipDir
		case !entry.IsDir() && filepath.Ext(path) == ".md":
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// page is what is asked of one.
type page struct {
	links   []link
	anchors map[string]bool
}

type link struct {
	line   int
	target string
}

var (
	inlineCode = regexp.MustCompile("`[^`]*`")
	inlineLink = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	linkText   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// read takes links and headings from a text, but not from its code.
func read(text string) page {
	p := page{anchors: make(map[string]bool)}
	fenced := false
	for i, line := range strings.Split(text, "\n") {
		plain := strings.TrimSpace(line)
		if strings.HasPrefix(plain, "```") {
			fenced = !fenced
		}
		if fenced {
			continue
		}
		if title, ok := heading(line); ok {
			p.addAnchor(slug(title))
		}
		for _, match := range inlineLink.FindAllStringSubmatch(inlineCode.ReplaceAllString(line, ""), -1) {
			p.links = append(p.links, link{i + 1, match[1]})
		}
	}
	return p
}

func heading(line string) (title string, ok bool) {
	level := len(line) - len(strings.TrimLeft(line, "#"))
	title, ok = strings.CutPrefix(line[level:], " ")
	return title, ok && level > 0 && level <= 6
}

// addAnchor numbers those of one name, as GitHub does.
func (p *page) addAnchor(name string) {
	unique := name
	for n := 1; p.anchors[unique]; n++ {
		unique = fmt.Sprintf("%s-%d", name, n)
	}
	p.anchors[unique] = true
}

// slug is GitHub's anchor of a heading: lower case, hyphens for spaces, nothing for what
// is neither letter nor digit.
func slug(title string) string {
	title = linkText.ReplaceAllString(title, "$1")
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
			return unicode.ToLower(r)
		default:
			return -1
		}
	}, strings.TrimSpace(title))
}

func follow(pages map[string]page, from, target string) error {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "" {
		return err
	}
	to := from
	if u.Path != "" {
		to = filepath.Join(filepath.Dir(from), u.Path)
		if _, err := os.Stat(to); err != nil {
			return err
		}
	}
	if p, ok := pages[to]; ok && u.Fragment != "" && !p.anchors[u.Fragment] {
		return fmt.Errorf("no heading of %s has this anchor", strings.TrimPrefix(to, root+"/"))
	}
	return nil
}

func TestRead(t *testing.T) {
	p := read("# The `k3s` way: [one](x.md), 2 & 3\n## Same\n## Same\n" +
		"[a](b.md#c) `[no](code)` [d](#same-1)\n```\n# no heading\n[no](fence)\n```\n####### no\n")
	for _, anchor := range []string{"the-k3s-way-one-2--3", "same", "same-1"} {
		if !p.anchors[anchor] {
			t.Errorf("no anchor %s in %v", anchor, p.anchors)
		}
	}
	if len(p.anchors) != 3 {
		t.Errorf("anchors %v", p.anchors)
	}
	want := []link{{1, "x.md"}, {4, "b.md#c"}, {4, "#same-1"}}
	if fmt.Sprint(p.links) != fmt.Sprint(want) {
		t.Errorf("links %v, want %v", p.links, want)
	}
}
