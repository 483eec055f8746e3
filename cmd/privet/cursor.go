package main

import "bytes"

// A cursor walks over JSON that this program has written itself: valid, without
// blanks. Anything else makes it stop and say so in bad; it never runs past the
// end.
type cursor struct {
	b   []byte
	i   int
	bad bool
}

func (c *cursor) fail() { c.i, c.bad = len(c.b), true }

func (c *cursor) eat(want byte) bool {
	if c.i < len(c.b) && c.b[c.i] == want {
		c.i++
		return true
	}
	c.fail()
	return false
}

// object calls f at the value of each member; f must take the value.
func (c *cursor) object(f func(key []byte)) {
	if c.eat('{') {
		c.members(f)
	}
}

// members is object from a place inside one, up to its end.
func (c *cursor) members(f func(key []byte)) {
	for c.i < len(c.b) {
		switch c.b[c.i] {
		case '}':
			c.i++
			return
		case ',':
			c.i++
		default:
			key := c.text()
			if !c.eat(':') {
				return
			}
			f(key)
		}
	}
	c.bad = true
}

// items calls f at each item of a list; f must take the item.
func (c *cursor) items(f func()) {
	if !c.eat('[') {
		return
	}
	for c.i < len(c.b) {
		switch c.b[c.i] {
		case ']':
			c.i++
			return
		case ',':
			c.i++
		default:
			f()
		}
	}
	c.bad = true
}

// text takes a text and returns it as written, escapes and all; null is nil.
func (c *cursor) text() []byte {
	if c.i < len(c.b) && c.b[c.i] == 'n' {
		c.i = min(c.i+len("null"), len(c.b))
		return nil
	}
	if !c.eat('"') {
		return nil
	}
	start := c.i
	for {
		n := bytes.IndexByte(c.b[c.i:], '"')
		if n < 0 {
			c.fail()
			return nil
		}
		c.i += n + 1
		if c.b[c.i-2] != '\\' {
			return c.b[start : c.i-1]
		}
		slashes := 1
		for c.b[c.i-2-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return c.b[start : c.i-1]
		}
	}
}

// skip takes any value.
func (c *cursor) skip() {
	depth := 0
	for c.i < len(c.b) {
		switch c.b[c.i] {
		case '"':
			c.text()
		case '{', '[':
			depth++
			c.i++
		case '}', ']':
			depth--
			if depth < 0 { // a number or word ends with the object around it
				return
			}
			c.i++
		case ',':
			if depth == 0 {
				return
			}
			c.i++
			continue
		default:
			c.i++
			continue
		}
		if depth == 0 {
			return
		}
	}
}
