// Package yamltext says where in a text YAML goes wrong: the decoder tells a line, if
// that, where the list or map began.
package yamltext

import (
	"io"
	"strings"
)

// Reader gives a text to a decoder line by line, so that it is known how far that came.
type Reader struct {
	rest string // of the text
	line string // which was begun
	read int    // lines begun
	left int    // of the line, in bytes
}

// NewReader returns one at the beginning of a text.
func NewReader(text string) *Reader { return &Reader{rest: text} }

// Read implements io.Reader.
func (r *Reader) Read(into []byte) (int, error) {
	if r.rest == "" {
		return 0, io.EOF
	}
	if r.left == 0 {
		r.line, _, _ = strings.Cut(r.rest, "\n")
		r.left = min(len(r.line)+len("\n"), len(r.rest))
		r.read++
	}
	n := copy(into, r.rest[:r.left])
	r.rest, r.left = r.rest[n:], r.left-n
	return n, nil
}

// Here returns the line that was begun last, and the column of what is first on it,
// both from 1.
func (r *Reader) Here() (line, column int) {
	indent := len(r.line) - len(strings.TrimLeft(r.line, " \t"))
	return max(r.read, 1), indent + 1
}

// Reason returns what a decoder's error says beyond a line, on one line.
func Reason(err error) string {
	reason := strings.TrimPrefix(err.Error(), "yaml: ")
	if _, after, ok := strings.Cut(reason, ": "); ok && strings.HasPrefix(reason, "line ") {
		reason = after
	}
	return strings.ReplaceAll(reason, "\n", " ")
}
