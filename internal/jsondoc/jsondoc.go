// Package jsondoc reads one JSON value strictly into a flat list of nodes and
// writes JSON whose bytes depend on nothing but the value. It exists because the
// house needs what no common decoder gives together: numbers that keep their
// exact text, duplicate keys refused, errors that never quote the input, a depth
// limit, and no reflection inside the small WASM module.
package jsondoc

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A Kind is the shape of a node. The zero Kind is null.
type Kind uint8

// The kinds of JSON values.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// A Node is one value. Nodes stand in the order of the text; the descendants of
// node i are i+1 … End-1.
type Node struct {
	Kind Kind
	End  int32
	// order is where the sorted children of an object begin in Doc.sorted, and
	// count how many children an array or object has.
	order, count int32
	At           int32  // byte of the text at which the value begins
	Key          string // in an object: the member's name
	Text         string // String: the decoded text; Number, Bool: as written
}

// Limits bound what is read. Zero fields mean the defaults.
type Limits struct {
	Depth int // nesting of arrays and objects; 64
	Nodes int // values in all; 65,536
}

const (
	defaultDepth = 64
	defaultNodes = 1 << 16
)

// A Code says what is wrong with a text.
type Code uint8

// What can be wrong with a text.
const (
	Syntax    Code = iota + 1 // not JSON
	Truncated                 // ends too early
	Trailing                  // something follows the value
	Duplicate                 // an object has a key twice
	TooDeep                   // nested deeper than the limit
	TooMany                   // more values than the limit
	BadUTF8                   // invalid UTF-8, or half of a surrogate pair
)

var codeText = [...]string{
	Syntax:    "not valid JSON",
	Truncated: "the JSON ends too early",
	Trailing:  "something follows the JSON value",
	Duplicate: "an object has one key twice",
	TooDeep:   "nested too deeply",
	TooMany:   "too many values",
	BadUTF8:   "the text is not valid UTF-8",
}

// String is fixed text.
func (c Code) String() string { return codeText[c] }

// An Error says what is wrong and at which byte (from 0). It never holds the text.
type Error struct {
	Code   Code
	Offset int
}

// Error is fixed text and the byte offset.
func (e *Error) Error() string {
	return codeText[e.Code] + " at byte " + strconv.Itoa(e.Offset)
}

// A Doc is a parsed value; node 0 is the root. A Doc may be parsed into again and
// keeps its memory. The zero Doc is ready to use.
type Doc struct {
	Nodes  []Node
	sorted []int32 // children of all objects, sorted by key
	stack  []int32
	text   string
	pos    int
	limits Limits
}

// Parse reads text, which must hold one JSON value and nothing else.
func (d *Doc) Parse(text string, limits Limits) error {
	if limits.Depth == 0 {
		limits.Depth = defaultDepth
	}
	if limits.Nodes == 0 {
		limits.Nodes = defaultNodes
	}
	d.Nodes, d.sorted, d.stack = d.Nodes[:0], d.sorted[:0], d.stack[:0]
	d.text, d.pos, d.limits = text, 0, limits
	code := d.parse()
	if code == 0 {
		return nil
	}
	d.Nodes = d.Nodes[:0]
	return &Error{code, d.pos}
}

func (d *Doc) parse() Code {
	d.space()
	if code := d.value(""); code != 0 {
		return code
	}
	for len(d.stack) > 0 {
		if code := d.next(); code != 0 {
			return code
		}
	}
	d.space()
	if d.pos < len(d.text) {
		return Trailing
	}
	return 0
}

func (d *Doc) space() {
	for d.pos < len(d.text) {
		switch d.text[d.pos] {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return
		}
	}
}

// value reads a scalar whole, or opens an array or object and leaves the rest
// to next: nesting costs no stack of the machine.
func (d *Doc) value(key string) Code {
	if d.pos >= len(d.text) {
		return Truncated
	}
	if len(d.Nodes) >= d.limits.Nodes {
		return TooMany
	}
	at := len(d.Nodes)
	d.Nodes = append(d.Nodes, Node{Key: key, At: int32(d.pos), End: int32(at + 1)})
	n := &d.Nodes[at]
	switch c := d.text[d.pos]; {
	case c == '"':
		n.Kind = String
		var code Code
		n.Text, code = d.str()
		return code
	case c == '{' || c == '[':
		if len(d.stack) >= d.limits.Depth {
			return TooDeep
		}
		n.Kind = Array
		if c == '{' {
			n.Kind = Object
		}
		d.pos++
		d.stack = append(d.stack, int32(at))
		return 0
	case c == '-' || '0' <= c && c <= '9':
		n.Kind = Number
		start := d.pos
		code := d.number()
		n.Text = d.text[start:d.pos]
		return code
	case c == 't':
		n.Kind = Bool
		return d.word(n, "true")
	case c == 'f':
		n.Kind = Bool
		return d.word(n, "false")
	case c == 'n':
		n.Kind = Null
		return d.word(n, "null")
	}
	return Syntax
}

func (d *Doc) word(n *Node, word string) Code {
	rest := d.text[d.pos:]
	if !strings.HasPrefix(rest, word) {
		if strings.HasPrefix(word, rest) {
			return Truncated
		}
		return Syntax
	}
	d.pos += len(word)
	if n.Kind == Bool {
		n.Text = word
	}
	return 0
}

// next goes on inside the innermost open array or object: it reads a member or
// closes.
func (d *Doc) next() Code {
	top := d.stack[len(d.stack)-1]
	open := &d.Nodes[top]
	closing := byte(']')
	if open.Kind == Object {
		closing = '}'
	}
	d.space()
	if d.pos >= len(d.text) {
		return Truncated
	}
	if d.text[d.pos] == closing {
		d.pos++
		return d.close(top)
	}
	if open.count > 0 {
		if d.text[d.pos] != ',' {
			return Syntax
		}
		d.pos++
		d.space()
	}
	open.count++
	key := ""
	if open.Kind == Object {
		if d.pos >= len(d.text) {
			return Truncated
		}
		if d.text[d.pos] != '"' {
			return Syntax
		}
		var code Code
		if key, code = d.str(); code != 0 {
			return code
		}
		d.space()
		if d.pos >= len(d.text) {
			return Truncated
		}
		if d.text[d.pos] != ':' {
			return Syntax
		}
		d.pos++
		d.space()
	}
	return d.value(key)
}

// close ends an array or object and, for an object, sorts its members and looks
// for a key given twice.
func (d *Doc) close(top int32) Code {
	d.stack = d.stack[:len(d.stack)-1]
	n := &d.Nodes[top]
	n.End = int32(len(d.Nodes))
	if n.Kind != Object {
		return 0
	}
	if d.sort(top) {
		return Duplicate
	}
	return 0
}

// sort notes the children of an object in the order of their keys and tells
// whether two are the same.
func (d *Doc) sort(top int32) (twice bool) {
	n := &d.Nodes[top]
	n.order = int32(len(d.sorted))
	sorted := true
	last := ""
	for i := top + 1; i < n.End; i = d.Nodes[i].End {
		key := d.Nodes[i].Key
		if len(d.sorted) > int(n.order) && key <= last {
			sorted = false
		}
		d.sorted, last = append(d.sorted, i), key
	}
	if sorted {
		return false
	}
	children := d.sorted[n.order:]
	slices.SortFunc(children, func(a, b int32) int { return strings.Compare(d.Nodes[a].Key, d.Nodes[b].Key) })
	for i := 1; i < len(children); i++ {
		if d.Nodes[children[i-1]].Key == d.Nodes[children[i]].Key {
			return true
		}
	}
	return false
}

func (d *Doc) number() Code {
	digits := func() Code {
		start := d.pos
		for d.pos < len(d.text) && '0' <= d.text[d.pos] && d.text[d.pos] <= '9' {
			d.pos++
		}
		if d.pos > start {
			return 0
		}
		if d.pos >= len(d.text) {
			return Truncated
		}
		return Syntax
	}
	if d.text[d.pos] == '-' {
		d.pos++
	}
	if d.pos < len(d.text) && d.text[d.pos] == '0' {
		d.pos++
	} else if code := digits(); code != 0 {
		return code
	}
	if d.pos < len(d.text) && d.text[d.pos] == '.' {
		d.pos++
		if code := digits(); code != 0 {
			return code
		}
	}
	if d.pos < len(d.text) && (d.text[d.pos] == 'e' || d.text[d.pos] == 'E') {
		d.pos++
		if d.pos < len(d.text) && (d.text[d.pos] == '+' || d.text[d.pos] == '-') {
			d.pos++
		}
		return digits()
	}
	return 0
}

// str reads a string; one without escapes is a piece of the text.
func (d *Doc) str() (string, Code) {
	d.pos++
	start := d.pos
	for d.pos < len(d.text) {
		switch c := d.text[d.pos]; {
		case c == '"':
			s := d.text[start:d.pos]
			d.pos++
			return s, 0
		case c == '\\':
			return d.escaped(start)
		case c < ' ':
			return "", Syntax
		case c < utf8.RuneSelf:
			d.pos++
		default:
			r, size := utf8.DecodeRuneInString(d.text[d.pos:])
			if r == utf8.RuneError && size <= 1 {
				return "", BadUTF8
			}
			d.pos += size
		}
	}
	return "", Truncated
}

func (d *Doc) escaped(start int) (string, Code) {
	var b strings.Builder
	b.WriteString(d.text[start:d.pos])
	for d.pos < len(d.text) {
		switch c := d.text[d.pos]; {
		case c == '"':
			d.pos++
			return b.String(), 0
		case c == '\\':
			if code := d.escape(&b); code != 0 {
				return "", code
			}
		case c < ' ':
			return "", Syntax
		default:
			r, size := utf8.DecodeRuneInString(d.text[d.pos:])
			if r == utf8.RuneError && size <= 1 {
				return "", BadUTF8
			}
			b.WriteString(d.text[d.pos : d.pos+size])
			d.pos += size
		}
	}
	return "", Truncated
}

func (d *Doc) escape(b *strings.Builder) Code {
	if d.pos+1 >= len(d.text) {
		return Truncated
	}
	c := d.text[d.pos+1]
	if c != 'u' {
		i := strings.IndexByte(`"\/bfnrt`, c)
		if i < 0 {
			return Syntax
		}
		b.WriteByte("\"\\/\b\f\n\r\t"[i])
		d.pos += 2
		return 0
	}
	r, code := d.hex4()
	if code != 0 {
		return code
	}
	if utf16.IsSurrogate(r) {
		if !strings.HasPrefix(d.text[d.pos:], `\u`) {
			return BadUTF8
		}
		low, code := d.hex4()
		if code != 0 {
			return code
		}
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			return BadUTF8
		}
	}
	b.WriteRune(r)
	return 0
}

// hex4 reads \uXXXX.
func (d *Doc) hex4() (rune, Code) {
	if d.pos+6 > len(d.text) {
		return 0, Truncated
	}
	var r rune
	for _, c := range []byte(d.text[d.pos+2 : d.pos+6]) {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, Syntax
		}
	}
	d.pos += 6
	return r, 0
}

// Children are the node numbers of the members of an object, sorted by key, or
// the items of an array, in order; nil for others. The slice belongs to the Doc.
func (d *Doc) Children(i int32) []int32 {
	n := &d.Nodes[i]
	if n.Kind == Object {
		return d.sorted[n.order : n.order+n.count]
	}
	if n.Kind != Array || n.count == 0 {
		return nil
	}
	out := make([]int32, 0, n.count)
	for c := i + 1; c < n.End; c = d.Nodes[c].End {
		out = append(out, c)
	}
	return out
}

// Len is how many members or items a node has.
func (d *Doc) Len(i int32) int { return int(d.Nodes[i].count) }

// Member finds a member of an object by key, or returns -1.
func (d *Doc) Member(i int32, key string) int32 {
	if i < 0 || d.Nodes[i].Kind != Object {
		return -1
	}
	children := d.Children(i)
	at, ok := slices.BinarySearchFunc(children, key, func(c int32, key string) int {
		return strings.Compare(d.Nodes[c].Key, key)
	})
	if !ok {
		return -1
	}
	return children[at]
}
