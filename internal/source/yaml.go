package source

import (
	"errors"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/privetdev/privet/internal/jsondoc"
)

// MaxFile is the largest policy file that is read, in bytes.
const MaxFile = 4 << 20

// A Text is a scalar of a file together with its place.
type Text struct {
	File  *File
	Value string
	pos   Pos
	// exact: the value stands in the file as it is, starting at pos; block: it
	// stands there line by line, each indented by indent characters.
	exact, block bool
	indent       int
}

// Plain makes a text that is a file of its own.
func Plain(name, value string) Text {
	return Text{File: NewFile(name, value), Value: value, pos: Pos{1, 1}, exact: true}
}

// Pos is where the text begins.
func (t Text) Pos() Pos { return t.pos }

// At is the place in the file of the byte at offset of the value. Where the
// file writes the value differently (escapes, folded lines) it is the start.
func (t Text) At(offset int) Pos {
	offset = min(max(offset, 0), len(t.Value))
	before := t.Value[:offset]
	lines := strings.Count(before, "\n")
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	switch {
	case t.block:
		return Pos{t.pos.Line + lines, t.indent + column + 1}
	case t.exact && lines == 0:
		return Pos{t.pos.Line, t.pos.Column + column}
	case t.exact:
		return Pos{t.pos.Line + lines, column + 1}
	}
	return t.pos
}

// A Node is a value in a YAML file. The zero Node is absent.
type Node struct {
	File *File
	yaml *yaml.Node
}

// Parse reads one YAML document. Faults go to ps; the result is absent then.
func Parse(name string, text []byte, ps *Problems) Node {
	f := NewFile(name, string(text))
	if len(text) > MaxFile {
		ps.Add(NewFile(name, ""), Pos{}, "the file is larger than "+strconv.Itoa(MaxFile)+" bytes", "split it and merge the parts with extends")
		return Node{}
	}
	if !utf8.Valid(text) {
		ps.Add(f, Pos{}, "the file is not valid UTF-8", "save it as UTF-8")
		return Node{}
	}
	var doc yaml.Node
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	if err := dec.Decode(&doc); err != nil {
		at, what := yamlFault(err)
		mend := "check indentation, quotes and colons near this line"
		if at.Line == 0 {
			mend = "start with: privet: 1"
		}
		ps.Add(f, at, what, mend)
		return Node{}
	}
	var more yaml.Node
	if dec.Decode(&more) == nil {
		ps.Add(f, Pos{more.Line, 1}, "a second YAML document", "keep one document to a file")
		return Node{}
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		ps.Add(f, Pos{}, "the file is empty", "start with: privet: 1")
		return Node{}
	}
	root := doc.Content[0]
	if bad := forbidden(root, 0); bad != nil {
		ps.Add(f, Pos{bad.Line, bad.Column}, "anchors, aliases, merge keys and custom tags are not read here, nor nesting deeper than "+strconv.Itoa(maxDepth), "write the value out")
		return Node{}
	}
	return Node{f, root}
}

var yamlLine = regexp.MustCompile(`line (\d+): (.*)`)

// yamlFault takes the place out of the YAML library's message and keeps its
// words, which speak of syntax and not of values.
func yamlFault(err error) (Pos, string) {
	text := err.Error()
	var typed *yaml.TypeError
	if errors.As(err, &typed) || text == "EOF" {
		return Pos{}, "the file is empty"
	}
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1])
		return Pos{Line: n}, "not valid YAML: " + m[2]
	}
	return Pos{}, "not valid YAML"
}

const maxDepth = 32

// forbidden returns the first node that this project does not read: aliases make
// files that explode, custom tags mean nothing here.
func forbidden(n *yaml.Node, depth int) *yaml.Node {
	if depth > maxDepth || n.Kind == yaml.AliasNode || n.Anchor != "" || n.ShortTag() == "!!merge" ||
		n.Style&yaml.TaggedStyle != 0 {
		return n
	}
	for _, c := range n.Content {
		if bad := forbidden(c, depth+1); bad != nil {
			return bad
		}
	}
	return nil
}

// Present tells whether there is a value; an explicit null is one.
func (n Node) Present() bool { return n.yaml != nil }

// IsNull tells whether the value is written as null (or left empty).
func (n Node) IsNull() bool { return n.yaml != nil && n.yaml.ShortTag() == "!!null" }

// IsMap, IsList and IsScalar tell the shape.
func (n Node) IsMap() bool    { return n.yaml != nil && n.yaml.Kind == yaml.MappingNode }
func (n Node) IsList() bool   { return n.yaml != nil && n.yaml.Kind == yaml.SequenceNode }
func (n Node) IsScalar() bool { return n.yaml != nil && n.yaml.Kind == yaml.ScalarNode && !n.IsNull() }

// IsString tells whether the value is text: quoted, or plain and not a number,
// truth value, time or null.
func (n Node) IsString() bool { return n.IsScalar() && n.yaml.ShortTag() == "!!str" }

// Pos is where the value begins.
func (n Node) Pos() Pos {
	if n.yaml == nil {
		return Pos{}
	}
	return Pos{n.yaml.Line, n.yaml.Column}
}

// Problem records a fault at the value.
func (n Node) Problem(ps *Problems, problem, mend string) { ps.Add(n.File, n.Pos(), problem, mend) }

// Text reads a scalar as text, as it is written: 007 stays "007".
func (n Node) Text(ps *Problems, what string) Text {
	if !n.Present() {
		return Text{}
	}
	if !n.IsScalar() {
		n.Problem(ps, what+" must be a text", "write one value, in quotes if it has special characters")
		return Text{File: n.File, pos: n.Pos()}
	}
	t := Text{File: n.File, Value: n.yaml.Value, pos: n.Pos()}
	line := n.File.line(t.pos.Line)
	runes := []rune(line)
	switch n.yaml.Style &^ yaml.TaggedStyle {
	case yaml.LiteralStyle:
		t.block = true
		t.pos.Line++
		first := n.File.line(t.pos.Line)
		t.indent = len(first) - len(strings.TrimLeft(first, " "))
		t.pos.Column = t.indent + 1
	case yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle:
		start := min(t.pos.Column, len(runes))
		if strings.HasPrefix(string(runes[start:]), t.Value) {
			t.pos.Column++
			t.exact = true
		}
	default:
		start := min(max(t.pos.Column-1, 0), len(runes))
		t.exact = strings.HasPrefix(string(runes[start:]), t.Value)
	}
	return t
}

// Int reads a whole number between lo and hi.
func (n Node) Int(ps *Problems, what string, lo, hi int64) int64 {
	if !n.Present() {
		return 0
	}
	if n.IsScalar() && n.yaml.ShortTag() == "!!int" {
		if v, err := strconv.ParseInt(n.yaml.Value, 10, 64); err == nil && v >= lo && v <= hi {
			return v
		}
	}
	mend := "write a whole number from " + strconv.FormatInt(lo, 10)
	if hi < math.MaxInt64 {
		mend += " to " + strconv.FormatInt(hi, 10)
	}
	n.Problem(ps, what+" must be a whole number in its range", mend)
	return lo
}

// Fraction reads a number from 0 to 1 and returns it in thousandths.
func (n Node) Fraction(ps *Problems, what string) uint16 {
	if !n.Present() {
		return 0
	}
	if tag := n.yaml.ShortTag(); n.IsScalar() && (tag == "!!float" || tag == "!!int") {
		if v, err := strconv.ParseFloat(n.yaml.Value, 64); err == nil && v >= 0 && v <= 1 {
			return uint16(math.Round(v * 1000))
		}
	}
	n.Problem(ps, what+" must be a number from 0 to 1", "write for example 0.8; thousandths count, finer steps do not")
	return 0
}

// Bool reads true or false. The words on and off count too, because they read
// well as switches.
func (n Node) Bool(ps *Problems, what string) bool {
	if !n.Present() {
		return false
	}
	if n.IsScalar() {
		switch n.yaml.Value {
		case "true", "on":
			return true
		case "false", "off":
			return false
		}
	}
	n.Problem(ps, what+" must be true or false", "")
	return false
}

// List returns the items of a list; an absent node has none.
func (n Node) List(ps *Problems, what string) []Node {
	if !n.Present() {
		return nil
	}
	if !n.IsList() {
		n.Problem(ps, what+" must be a list", "write [a, b], or one item a line with a dash")
		return nil
	}
	out := make([]Node, len(n.yaml.Content))
	for i, c := range n.yaml.Content {
		out[i] = Node{n.File, c}
	}
	return out
}

// Texts reads a list of texts.
func (n Node) Texts(ps *Problems, what string) []Text {
	var out []Text
	for _, item := range n.List(ps, what) {
		out = append(out, item.Text(ps, "each of "+what))
	}
	return out
}

// Strings reads a list of texts and forgets their places.
func (n Node) Strings(ps *Problems, what string) []string {
	var out []string
	for _, t := range n.Texts(ps, what) {
		out = append(out, t.Value)
	}
	return out
}

// Choice reads a text that must be one of a set.
func (n Node) Choice(ps *Problems, what string, choices ...string) string {
	t := n.Text(ps, what)
	if !n.IsScalar() || slices.Contains(choices, t.Value) {
		return t.Value
	}
	mend := DidYouMean(t.Value, choices)
	n.Problem(ps, what+" is not one of the known values: "+strconv.Quote(t.Value), mend)
	return ""
}

// A Map reads the keys of a mapping. Each key that is asked for counts as known;
// Done reports the others.
type Map struct {
	Node
	ps   *Problems
	what string
	keys []string
	vals map[string]Node
	used map[string]bool
	at   map[string]Pos
}

// Map opens a mapping; what names it in messages, such as "rule". A node of
// another shape is reported and reads as empty.
func (n Node) Map(ps *Problems, what string) *Map {
	m := &Map{Node: n, ps: ps, what: what, vals: map[string]Node{}, used: map[string]bool{}, at: map[string]Pos{}}
	if !n.Present() || n.IsNull() {
		return m
	}
	if !n.IsMap() {
		n.Problem(ps, what+" must be a mapping", "write key: value pairs")
		return m
	}
	for i := 0; i+1 < len(n.yaml.Content); i += 2 {
		k, v := n.yaml.Content[i], n.yaml.Content[i+1]
		at := Pos{k.Line, k.Column}
		if k.Kind != yaml.ScalarNode {
			ps.Add(n.File, at, "a key of "+what+" must be a text", "")
			continue
		}
		if first, twice := m.at[k.Value]; twice {
			ps.Add(n.File, at, "key "+strconv.Quote(k.Value)+" is given twice, first in line "+strconv.Itoa(first.Line), "keep one of the two")
			continue
		}
		m.keys = append(m.keys, k.Value)
		m.vals[k.Value] = Node{n.File, v}
		m.at[k.Value] = at
	}
	return m
}

// Get returns the value of a key, absent if it is not there.
func (m *Map) Get(key string) Node {
	m.used[key] = true
	return m.vals[key]
}

// Need returns the value of a key and reports it when it is missing.
func (m *Map) Need(key string) Node {
	n := m.Get(key)
	if (!n.Present() || n.IsNull()) && m.Present() && m.IsMap() {
		m.Problem(m.ps, m.what+" needs "+key, "")
		return Node{}
	}
	return n
}

// Keys are all keys in the order of the file; asking for them makes all known.
func (m *Map) Keys() []string {
	for _, k := range m.keys {
		m.used[k] = true
	}
	return m.keys
}

// KeyPos is where a key stands.
func (m *Map) KeyPos(key string) Pos { return m.at[key] }

// Done reports every key that nobody asked for, with the nearest known one.
func (m *Map) Done() {
	var known []string
	for k := range m.used {
		known = append(known, k)
	}
	for _, k := range m.keys {
		if !m.used[k] {
			m.ps.Add(m.File, m.at[k], m.what+" has no key "+strconv.Quote(k), DidYouMean(k, known))
		}
	}
}

// AppendJSON appends the value as JSON: mappings with sorted keys, and plain
// scalars by their YAML type. Numbers that JSON writes differently become texts.
func (n Node) AppendJSON(dst []byte) []byte {
	w := jsondoc.Writer{Buf: dst}
	if n.yaml == nil {
		w.Raw("null")
	} else {
		writeJSON(&w, n.yaml)
	}
	return w.Buf
}

func writeJSON(w *jsondoc.Writer, n *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		type member struct{ key, value *yaml.Node }
		var members []member
		for i := 0; i+1 < len(n.Content); i += 2 {
			members = append(members, member{n.Content[i], n.Content[i+1]})
		}
		slices.SortStableFunc(members, func(a, b member) int { return strings.Compare(a.key.Value, b.key.Value) })
		w.Open('{')
		for _, m := range members {
			w.Key(m.key.Value)
			writeJSON(w, m.value)
		}
		w.Close('}')
	case yaml.SequenceNode:
		w.Open('[')
		for _, c := range n.Content {
			writeJSON(w, c)
		}
		w.Close(']')
	default:
		var d jsondoc.Doc
		switch tag := n.ShortTag(); {
		case tag == "!!null":
			w.Raw("null")
		case (tag == "!!int" || tag == "!!float") && d.Parse(n.Value, jsondoc.Limits{}) == nil:
			w.Raw(n.Value)
		case tag == "!!bool":
			w.Raw(strings.ToLower(n.Value))
		default:
			w.String(n.Value)
		}
	}
}
