package packet

import (
	"bytes"
	"encoding/hex"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// up is a packet of a session that is Up, as FRR sends it.
func up() Packet {
	return Packet{
		State: Up, Independent: true, Multiplier: 3, My: 0x01020304, Your: 0xa0b0c0d0,
		DesiredMinTx: 50 * time.Millisecond, RequiredMinRx: 50 * time.Millisecond, RequiredMinEchoRx: 50 * time.Microsecond,
	}
}

// bytesOf is what a packet looks like by RFC 5880 section 4.1.
const bytesOf = "20c80318" + "01020304" + "a0b0c0d0" + "0000c350" + "0000c350" + "00000032"

func TestGolden(t *testing.T) {
	p := up()
	if got := hex.EncodeToString(p.Append(nil)); got != bytesOf {
		t.Errorf("written %s, want %s", got, bytesOf)
	}
	var read Packet
	b, _ := hex.DecodeString(bytesOf)
	if why := read.Parse(b); why != Accepted {
		t.Fatalf("not read: %s", why.Label())
	}
	if d := cmp.Diff(p, read); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// What RFC 5880 section 6.8.6 has discarded is.
func TestStrict(t *testing.T) {
	with := func(change func(*Packet)) []byte {
		p := up()
		change(&p)
		return p.Append(nil)
	}
	patched := func(at int, value byte) []byte {
		b := with(func(*Packet) {})
		b[at] = value
		return b
	}
	for name, test := range map[string]struct {
		packet []byte
		want   Reason
	}{
		"empty":                   {nil, Short},
		"short":                   {with(func(*Packet) {})[:23], Short},
		"version 0":               {patched(0, 0), BadVersion},
		"version 2":               {patched(0, 2<<5), BadVersion},
		"length too small":        {patched(3, 23), BadLength},
		"length beyond the end":   {patched(3, 25), BadLength},
		"multiplier 0":            {patched(2, 0), NoMultiplier},
		"multipoint":              {patched(1, 3<<6|bitMultipoint), Multipoint},
		"no discriminator":        {with(func(p *Packet) { p.My = 0 }), NoDiscriminator},
		"Up to nobody":            {with(func(p *Packet) { p.Your = 0 }), Unaddressed},
		"Init to nobody":          {with(func(p *Packet) { p.Your, p.State = 0, Init }), Unaddressed},
		"Down to nobody":          {with(func(p *Packet) { p.Your, p.State = 0, Down }), Accepted},
		"AdminDown to nobody":     {with(func(p *Packet) { p.Your, p.State = 0, AdminDown }), Accepted},
		"authenticated":           {patched(1, 3<<6|bitAuthentication), Authenticated},
		"poll and final":          {with(func(p *Packet) { p.Poll, p.Final = true, true }), PollAndFinal},
		"what follows is ignored": {append(with(func(*Packet) {}), 1, 2, 3), Accepted},
	} {
		var p Packet
		if got := p.Parse(test.packet); got != test.want {
			t.Errorf("%s: %s, want %s", name, got.Label(), test.want.Label())
		}
	}
}

// Times that do not fit are the nearest that do.
func TestTimes(t *testing.T) {
	for given, want := range map[time.Duration]time.Duration{
		-time.Second: 0, time.Nanosecond: 0, time.Hour: time.Hour, 100 * time.Hour: (1<<32 - 1) * time.Microsecond,
	} {
		p, read := up(), Packet{}
		p.DesiredMinTx = given
		if read.Parse(p.Append(nil)); read.DesiredMinTx != want {
			t.Errorf("%s is %s, want %s", given, read.DesiredMinTx, want)
		}
	}
}

func TestWords(t *testing.T) {
	for d := range Diagnostic(32) {
		if d != NoDiagnostic && d.String() == "" {
			t.Errorf("no words for diagnostic %d", d)
		}
	}
	seen := make(map[string]bool)
	for r := range Reasons {
		if l := r.Label(); l == "" || seen[l] {
			t.Errorf("label %q of reason %d", l, r)
		}
		seen[r.Label()] = true
	}
}

// What is read can be written, and is the same then, but for what is ignored.
func FuzzParse(f *testing.F) {
	golden, _ := hex.DecodeString(bytesOf)
	f.Add(golden)
	f.Add([]byte{0x20, 0x40, 1, 24, 0, 0, 0, 1, 23: 0})
	f.Add(append([]byte{0x20, 0x40, 1, 30}, make([]byte, 26)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		var p Packet
		if p.Parse(b) != Accepted {
			return
		}
		written := p.Append(nil)
		read := bytes.Clone(b[:Size])
		read[3] = Size
		if !bytes.Equal(written, read) {
			t.Errorf("%x was written as %x", read, written)
		}
	})
}

// Nothing is allocated.
func TestAllocations(t *testing.T) {
	p, buffer := up(), make([]byte, 0, Size)
	if n := testing.AllocsPerRun(100, func() {
		buffer = p.Append(buffer[:0])
		if p.Parse(buffer) != Accepted {
			t.Error("not accepted")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkParse(b *testing.B) {
	golden, _ := hex.DecodeString(bytesOf)
	b.ReportAllocs()
	for b.Loop() {
		var p Packet
		if p.Parse(golden) != Accepted {
			b.Fatal("not accepted")
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	p, buffer := up(), make([]byte, 0, Size)
	b.ReportAllocs()
	for b.Loop() {
		buffer = p.Append(buffer[:0])
	}
}
