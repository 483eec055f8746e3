package bundle

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/privetdev/privet/internal/expr"
)

// Limits of what a bundle may hold; a bundle is small, and a hostile one must
// not make its reader large.
const (
	maxBundle = 16 << 20
	maxItems  = 1 << 16
)

// A codec walks the fields of a structure in one fixed order and either writes
// them or reads them, so that the two directions cannot drift apart.
type codec struct {
	buf     []byte // written so far, or what is left to read
	reading bool
	failed  bool
}

func (c *codec) fail() { c.failed, c.buf = true, nil }

func (c *codec) u64(p *uint64) {
	if !c.reading {
		c.buf = binary.AppendUvarint(c.buf, *p)
		return
	}
	v, n := binary.Uvarint(c.buf)
	// One number has one spelling: a last byte of zero would be a second one.
	if n <= 0 || (n > 1 && c.buf[n-1] == 0) {
		c.fail()
		return
	}
	*p, c.buf = v, c.buf[n:]
}

func (c *codec) i64(p *int64) {
	u := uint64(*p)<<1 ^ uint64(*p>>63)
	c.u64(&u)
	*p = int64(u>>1) ^ -int64(u&1)
}

func (c *codec) u16(p *uint16) {
	u := uint64(*p)
	c.u64(&u)
	if u > 1<<16-1 {
		c.fail()
	}
	*p = uint16(u)
}

func (c *codec) u8(p *uint8) {
	u := uint16(*p)
	c.u16(&u)
	if u > 1<<8-1 {
		c.fail()
	}
	*p = uint8(u)
}

func (c *codec) flag(p *bool) {
	var u uint8
	if *p {
		u = 1
	}
	c.u8(&u)
	if u > 1 {
		c.fail()
	}
	*p = u == 1
}

func (c *codec) str(p *string) {
	n := uint64(len(*p))
	c.u64(&n)
	if !c.reading {
		c.buf = append(c.buf, *p...)
		return
	}
	if n > uint64(len(c.buf)) || !utf8.Valid(c.buf[:n]) {
		c.fail()
		return
	}
	*p, c.buf = string(c.buf[:n]), c.buf[n:]
}

// list walks a list; an empty one reads back as nil.
func list[T any](c *codec, p *[]T, item func(*codec, *T)) {
	n := uint64(len(*p))
	c.u64(&n)
	if !c.reading {
		for i := range *p {
			item(c, &(*p)[i])
		}
		return
	}
	// Every item takes a byte at least.
	if n > maxItems || n > uint64(len(c.buf)) {
		c.fail()
		return
	}
	*p = nil
	for range n {
		var v T
		item(c, &v)
		if c.failed {
			return
		}
		*p = append(*p, v)
	}
}

func (c *codec) strs(p *[]string) { list(c, p, (*codec).str) }

// program walks an expression; its own wire form stands inside, with a length.
func (c *codec) program(env *expr.Env, p **expr.Program) {
	var wire string
	if !c.reading && *p != nil {
		wire = string((*p).Append(nil))
	}
	n := uint64(len(wire))
	c.u64(&n)
	if !c.reading {
		c.buf = append(c.buf, wire...)
		return
	}
	*p = nil
	if n > uint64(len(c.buf)) {
		c.fail()
		return
	}
	if n == 0 {
		return
	}
	prog, err := expr.Decode(c.buf[:n], env)
	if err != nil {
		c.fail()
		return
	}
	*p, c.buf = prog, c.buf[n:]
}

// condition is a program that must be there and give true or false.
func (c *codec) condition(env *expr.Env, p **expr.Program) {
	c.program(env, p)
	if c.reading && !c.failed && (*p == nil || (*p).Result() != expr.TBool) {
		c.fail()
	}
}
