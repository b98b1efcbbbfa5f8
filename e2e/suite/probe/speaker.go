package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// The types of messages of BGP (RFC 4271 section 4.1), and the length of their header.
const (
	typeOpen         = 1
	typeUpdate       = 2
	typeNotification = 3
	typeKeepalive    = 4
	bgpHeader        = 19
)

// manners are how a speaker of BGP answers who connects: what it says before it has
// heard an OPEN, after, and once the session stands. After the last word it waits for the
// other to hang up, or hangs up itself.
func manners(asn uint32) map[string]manner {
	open := []byte{typeOpen, 4, byte(asn >> 8), byte(asn), 0, 90, 192, 0, 2, 77, 0}
	other := []byte{typeOpen, 4, byte((asn + 1) >> 8), byte(asn + 1), 0, 90, 192, 0, 2, 77, 0}
	return map[string]manner{
		// What is no BGP at all.
		"garbage": {first: []byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), waits: true},
		// Connection Rejected (RFC 4486 section 4).
		"refuse": {first: bgpMessage(typeNotification, 6, 5)},
		// Nothing.
		"silence": {waits: true},
		// An AS that it is not to have.
		"wrong-as": {open: bgpMessage(other...), waits: true},
		// Headers that no message has: in place of the marker, shorter than themselves, longer
		// than messages may be, of no type.
		"marker": {open: bgpMessage(open...), last: append([]byte(strings.Repeat("x", 16)), 0, 19, typeKeepalive), waits: true},
		"short":  {open: bgpMessage(open...), last: bgpHead(bgpHeader-1, typeKeepalive), waits: true},
		"huge":   {open: bgpMessage(open...), last: bgpHead(65535, typeUpdate), waits: true},
		"type":   {open: bgpMessage(open...), last: bgpHead(bgpHeader, 200), waits: true},
		// An UPDATE whose attributes go on after its end.
		"update": {open: bgpMessage(open...), last: bgpMessage(typeUpdate, 0, 0, 255, 255, 0x40, 1, 1, 0), waits: true},
		// Administrative Reset (RFC 4486 section 4), at once when the session stands.
		"flap": {open: bgpMessage(open...), last: bgpMessage(typeNotification, 6, 4)},
	}
}

type manner struct {
	first, open, last []byte
	waits             bool
}

// bgpMessage returns a message of a type with a body.
func bgpMessage(words ...byte) []byte {
	return append(bgpHead(bgpHeader+len(words)-1, words[0]), words[1:]...)
}

func bgpHead(length int, kind byte) []byte {
	marker := []byte(strings.Repeat("\xff", 16))
	return append(binary.BigEndian.AppendUint16(marker, uint16(length)), kind)
}

// speak is a router with bad manners, until ctx ends. It tells of each connection how far
// that came; the first word says that it listens.
func speak(ctx context.Context, listen string, asn uint32, how string, tell *json.Encoder) error {
	manner, ok := manners(asn)[how]
	if !ok {
		return fmt.Errorf("no manner %q", how)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	if err := tell.Encode("listening"); err != nil {
		return err
	}
	lines := make(chan string)
	go func() {
		for ctx.Err() == nil {
			connection, err := listener.Accept()
			if err != nil {
				continue
			}
			go func() {
				select {
				case lines <- manner.meet(connection):
				case <-ctx.Done():
				}
			}()
		}
	}()
	for {
		select {
		case line := <-lines:
			if err := tell.Encode(line); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// meet answers one who connected, and returns what came of it.
func (m manner) meet(connection net.Conn) string {
	defer connection.Close() //nolint:errcheck // it is over
	const patience = 30 * time.Second
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		return err.Error()
	}
	if err := m.say(connection); err != nil {
		return err.Error()
	}
	if !m.waits {
		return "said all"
	}
	for { // until the other has enough
		kind, body, err := read(connection)
		switch {
		case err != nil:
			return err.Error()
		case kind == typeNotification && len(body) >= 2:
			return fmt.Sprintf("notified %d/%d", body[0], body[1])
		}
	}
}

// say says all there is to say, as far as the other lets it.
func (m manner) say(connection io.ReadWriter) error {
	if _, err := connection.Write(m.first); err != nil || m.open == nil {
		return err
	}
	if kind, _, err := read(connection); err != nil || kind != typeOpen {
		return fmt.Errorf("a message of type %d in place of OPEN: %w", kind, err)
	}
	if _, err := connection.Write(append(m.open, bgpMessage(typeKeepalive)...)); err != nil || m.last == nil {
		return err
	}
	if kind, body, err := read(connection); err != nil || kind != typeKeepalive {
		return fmt.Errorf("a message of type %d in place of KEEPALIVE: %v: %w", kind, body, err)
	}
	_, err := connection.Write(m.last)
	return err
}

var errMessage = errors.New("not a message of BGP")

// read reads a message.
func read(from io.Reader) (kind byte, body []byte, err error) {
	head := make([]byte, bgpHeader)
	if _, err := io.ReadFull(from, head); err != nil {
		return 0, nil, err
	}
	length := int(binary.BigEndian.Uint16(head[16:]))
	if length < bgpHeader {
		return 0, nil, errMessage
	}
	body = make([]byte, length-bgpHeader)
	_, err = io.ReadFull(from, body)
	return head[18], body, err
}
