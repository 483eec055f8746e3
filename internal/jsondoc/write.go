package jsondoc

import "unicode/utf8"

const hexDigits = "0123456789abcdef"

// plain are the bytes that stand for themselves in a JSON string.
var plain = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// AppendString appends s as a JSON string. The result is the shortest spelling:
// only quote, backslash and control characters are escaped, invalid UTF-8 becomes
// U+FFFD.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, s[start:i]...)
				dst = append(dst, "\uFFFD"...)
				start = i + 1
			}
			i += size
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

// A Writer appends JSON objects and arrays with the commas in place. The caller
// writes keys in sorted order. The zero Writer writes to an empty buffer.
type Writer struct {
	Buf   []byte
	comma bool
}

func (w *Writer) sep() {
	if w.comma {
		w.Buf = append(w.Buf, ',')
	}
	w.comma = true
}

// Key writes a member's name; its value must follow.
func (w *Writer) Key(key string) {
	w.sep()
	w.Buf = append(AppendString(w.Buf, key), ':')
	w.comma = false
}

// Name is Key for a name that needs no escaping, such as one of this module's own.
func (w *Writer) Name(name string) {
	w.sep()
	w.Buf = append(w.Buf, '"')
	w.Buf = append(w.Buf, name...)
	w.Buf = append(w.Buf, '"', ':')
	w.comma = false
}

// Open writes '{' or '['; Close the counterpart.
func (w *Writer) Open(c byte) {
	w.sep()
	w.Buf = append(w.Buf, c)
	w.comma = false
}

// Close writes '}' or ']'.
func (w *Writer) Close(c byte) {
	w.Buf = append(w.Buf, c)
	w.comma = true
}

// String writes a text value.
func (w *Writer) String(s string) {
	w.sep()
	w.Buf = AppendString(w.Buf, s)
}

// Raw writes a value that is JSON already.
func (w *Writer) Raw(s string) {
	w.sep()
	w.Buf = append(w.Buf, s...)
}

// Append writes a value by a function that appends JSON.
func (w *Writer) Append(f func([]byte) []byte) {
	w.sep()
	w.Buf = f(w.Buf)
}

// Append appends a value of the document as JSON, with sorted keys.
func (d *Doc) Append(dst []byte, i int32) []byte {
	w := Writer{Buf: dst}
	d.write(&w, i)
	return w.Buf
}

func (d *Doc) write(w *Writer, i int32) {
	switch n := &d.Nodes[i]; n.Kind {
	case Null:
		w.Raw("null")
	case Bool, Number:
		w.Raw(n.Text)
	case String:
		w.String(n.Text)
	case Array:
		w.Open('[')
		for _, c := range d.Children(i) {
			d.write(w, c)
		}
		w.Close(']')
	case Object:
		w.Open('{')
		for _, c := range d.Children(i) {
			w.Key(d.Nodes[c].Key)
			d.write(w, c)
		}
		w.Close('}')
	}
}
