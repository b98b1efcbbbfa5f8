package nodesocket

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// MaxFrame bounds the body of a frame, in bytes.
const MaxFrame = 64 << 10

const headerLen = 4

// ErrFrameSize is wrapped by the error about a frame that is empty or longer
// than MaxFrame.
var ErrFrameSize = errors.New("frame size out of bounds")

// encoder writes frames, each with one Write.
type encoder struct {
	w   io.Writer
	buf bytes.Buffer
}

func (e *encoder) encode(m *message) error {
	e.buf.Reset()
	e.buf.Write(make([]byte, headerLen))
	if err := json.NewEncoder(&e.buf).Encode(m); err != nil {
		return fmt.Errorf("encode %s: %w", m.Kind, err)
	}
	size := e.buf.Len() - headerLen
	if size > MaxFrame {
		return fmt.Errorf("encode %s: %w: %d bytes", m.Kind, ErrFrameSize, size)
	}
	binary.BigEndian.PutUint32(e.buf.Bytes(), uint32(size))
	_, err := e.w.Write(e.buf.Bytes())
	return err
}

// decoder reads frames. It never holds more than MaxFrame bytes of input.
type decoder struct {
	r   *bufio.Reader
	buf []byte
}

func newDecoder(r io.Reader) *decoder { return &decoder{r: bufio.NewReader(r)} }

// decode returns the next message, or io.EOF at the end of a whole frame.
func (d *decoder) decode() (*message, error) {
	var header [headerLen]byte
	if _, err := io.ReadFull(d.r, header[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(header[:])
	if size == 0 || size > MaxFrame {
		return nil, fmt.Errorf("%w: %d bytes", ErrFrameSize, size)
	}
	if int(size) > cap(d.buf) {
		d.buf = make([]byte, size)
	}
	body := d.buf[:size]
	if _, err := io.ReadFull(d.r, body); err != nil {
		return nil, fmt.Errorf("read frame: %w", noEOF(err))
	}
	m := new(message)
	if err := json.Unmarshal(body, m); err != nil {
		return nil, fmt.Errorf("decode frame: %w", err)
	}
	return m, nil
}

// noEOF tells a frame that breaks off from a stream that ends.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
