package main

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// A maker writes one event as JSON and holds whom and what it is about.
type maker struct {
	out    []byte
	rand   *rand.Rand
	leaves int // values written inside fields
	comma  bool

	at     time.Time
	who    person
	org    tenant
	device [2]uint64
}

func (m *maker) intn(n int) int         { return m.rand.IntN(n) }
func (m *maker) percent(share int) bool { return m.intn(100) < share }

func (m *maker) one(words ...string) string { return words[m.intn(len(words))] }

func (m *maker) separate() {
	if m.comma {
		m.out = append(m.out, ',')
	}
	m.comma = false
}

func (m *maker) key(name string) *maker {
	m.separate()
	m.quote(name)
	m.out = append(m.out, ':')
	return m
}

func (m *maker) item() *maker {
	m.separate()
	return m
}

func (m *maker) open(bracket byte) {
	m.out = append(m.out, bracket)
	m.comma = false
}

func (m *maker) close(bracket byte) {
	m.out = append(m.out, bracket)
	m.comma = true
}

func (m *maker) leaf() {
	m.leaves++
	m.comma = true
}

func (m *maker) text(s string) {
	m.quote(s)
	m.leaf()
}

func (m *maker) moment(t time.Time) {
	m.out = append(m.out, '"')
	m.out = t.AppendFormat(m.out, "2006-01-02T15:04:05.000Z07:00")
	m.out = append(m.out, '"')
	m.leaf()
}

func (m *maker) number(n int64) {
	m.out = strconv.AppendInt(m.out, n, 10)
	m.leaf()
}

func (m *maker) decimal(f float64, places int) {
	m.out = strconv.AppendFloat(m.out, f, 'f', places, 64)
	m.leaf()
}

func (m *maker) flag(b bool) {
	m.out = strconv.AppendBool(m.out, b)
	m.leaf()
}

// quote writes a JSON string. Everything here is valid UTF-8.
func (m *maker) quote(s string) {
	m.out = append(m.out, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			m.out = append(m.out, '\\', c)
		case '\n':
			m.out = append(m.out, '\\', 'n')
		default:
			m.out = append(m.out, c)
		}
	}
	m.out = append(m.out, '"')
}

const hexDigits = "0123456789abcdef"

func (m *maker) hex(n int) string    { return m.from(hexDigits, n) }
func (m *maker) digits(n int) string { return m.from(hexDigits[:10], n) }
func (m *maker) letters(n int) string {
	return m.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", n)
}

func (m *maker) from(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[m.intn(len(alphabet))]
	}
	return string(b)
}

func (m *maker) guid() string { return guid(m.rand.Uint64(), m.rand.Uint64()) }

// deviceID is the same for all events of one device.
func (m *maker) deviceID() string { return "s:" + guid(m.device[0], m.device[1]) }

// deviceNumber is the identity of device n: the same in every event of a seed.
func deviceNumber(seed uint64, n int) [2]uint64 {
	r := rand.NewPCG(seed, 1<<63|uint64(n))
	return [2]uint64{r.Uint64(), r.Uint64()}
}

func guid(a, b uint64) string {
	a = a&^0xf000 | 0x4000     // version 4
	b = b&^(0xc<<60) | 0x8<<60 // variant of RFC 9562
	out := make([]byte, 0, 36)
	for i := range 32 {
		if i == 8 || i == 12 || i == 16 || i == 20 {
			out = append(out, '-')
		}
		word := a
		if i >= 16 {
			word = b
		}
		out = append(out, hexDigits[word>>(60-4*(i%16))&15])
	}
	return string(out)
}
