package wire

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/heraldlb/herald/election"
)

// golden returns the bytes of a file in testdata: hex, and comments.
func golden(t testing.TB, name string) []byte {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("testdata", name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for line := range strings.Lines(string(file)) {
		digits, _, _ := strings.Cut(line, "#")
		b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(digits), " ", ""))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, b...)
	}
	return all
}

type example struct {
	name string
	key  []byte
	body any
}

// examples are the datagrams in testdata.
func examples() []example {
	farewell := &Heartbeat{
		Interval:   25 * time.Millisecond,
		Multiplier: 4,
		Leaving:    true,
		Farewell:   true,
		Digest:     election.Digest{Version: 14},
	}
	return []example{
		{"heartbeat", key, heartbeat()},
		{"heartbeat-unkeyed", nil, heartbeat()},
		{"farewell", key, farewell},
		{"update", key, update()},
		{"list", key, list()},
		{"request", key, request()},
		{"refusal", key, refusal()},
	}
}

// The bytes of docs/heartbeat.md do not change while Version does not.
func TestGolden(t *testing.T) {
	for _, e := range examples() {
		got, err := seal(NewSealer(cluster, e.key), header(), e.body)
		if err != nil {
			t.Fatalf("%s: %v", e.name, err)
		}
		if want := golden(t, e.name); !bytes.Equal(got, want) {
			t.Errorf("%s:\ngot  %x\nwant %x", e.name, got, want)
		}
	}
	files, err := filepath.Glob("testdata/*.hex")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(examples()) {
		t.Errorf("%d files in testdata, of %d examples", len(files), len(examples()))
	}
}

// docs/heartbeat.md has a word on each example, and on each reason to drop one.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/heartbeat.md")
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, e := range examples() {
		words = append(words, e.name+".hex")
	}
	for r := Accepted + 1; r < Reasons; r++ {
		words = append(words, r.Label())
	}
	for _, word := range words {
		if !strings.Contains(string(page), "`"+word+"`") {
			t.Errorf("docs/heartbeat.md lacks `%s`", word)
		}
	}
}
