package asm

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Marshal writes an object as text that [Unmarshal] reads: a line for the head of each
// part, and indented lines for instructions, bytes and references. Equal objects give
// equal text, and a change of one function changes its lines only.
func (o *Object) Marshal() []byte {
	var b bytes.Buffer
	for _, g := range o.Globals {
		fmt.Fprintf(&b, "global %s %c %d %s", word(g.Name), g.Type, g.Value, kind(g.Const))
		if g.Sym != "" {
			b.WriteString(" " + word(g.Sym))
		}
		b.WriteByte('\n')
	}
	for _, d := range o.Data {
		fmt.Fprintf(&b, "data %s %d %d %s\n", word(d.Name), d.Size, max(d.Align, 1), kind(d.Const))
		for rest := d.Bytes; len(rest) > 0; {
			n := min(len(rest), 96)
			quoted, coded := strconv.Quote(string(rest[:n])), "="+base64.RawStdEncoding.EncodeToString(rest[:n])
			if len(coded) < len(quoted) {
				quoted = coded
			}
			fmt.Fprintf(&b, "\t%s\n", quoted)
			rest = rest[n:]
		}
		for _, r := range d.Refs {
			fmt.Fprintf(&b, "\tref %d %s %d\n", r.At, word(r.Sym), r.Add)
		}
	}
	for _, f := range o.Funcs {
		fmt.Fprintf(&b, "func %s %s %s\n", word(f.Name), f.Sig, word(string(f.Locals)))
		for _, in := range f.Body {
			b.WriteString("\t" + in.Op.String())
			switch in.Op {
			case BlockOp, Loop, If:
				fmt.Fprintf(&b, " %d", in.Label)
				if in.Imm != 0 {
					fmt.Fprintf(&b, " %c", in.Imm)
				}
			case Br, BrIf:
				fmt.Fprintf(&b, " %d", in.Label)
			case BrTable:
				for _, l := range in.Labels {
					fmt.Fprintf(&b, " %d", l)
				}
			case LocalGet, LocalSet, LocalTee, I64Const, F64Const:
				fmt.Fprintf(&b, " %d", in.Imm)
			case CallOp, CallIndirectOp, GlobalGet, GlobalSet:
				b.WriteString(" " + word(in.Sym))
			default:
				if in.Op == I32Const || in.Op.Width() > 0 {
					fmt.Fprintf(&b, " %d", in.Imm)
					if in.Sym != "" {
						b.WriteString(" " + word(in.Sym))
					}
				}
			}
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

func kind(constant bool) string {
	if constant {
		return "const"
	}
	return "var"
}

// word writes a name so that blanks divide it from others.
func word(s string) string {
	plain := s != ""
	for _, c := range []byte(s) {
		plain = plain && c > ' ' && c < 0x7f && c != '"'
	}
	if plain {
		return s
	}
	return strconv.Quote(s)
}

// words divides a line at blanks.
func words(line string) ([]string, error) {
	var out []string
	for line = strings.TrimLeft(line, " "); line != ""; line = strings.TrimLeft(line, " ") {
		if line[0] == '"' {
			quoted, err := strconv.QuotedPrefix(line)
			if err != nil {
				return nil, err
			}
			s, err := strconv.Unquote(quoted)
			if err != nil {
				return nil, err
			}
			out, line = append(out, s), line[len(quoted):]
			continue
		}
		w, rest, _ := strings.Cut(line, " ")
		out, line = append(out, w), rest
	}
	return out, nil
}

var errShort = errors.New("something is missing")

// Unmarshal reads what [Object.Marshal] wrote.
func Unmarshal(source []byte) (*Object, error) {
	o := &Object{}
	var f *Func
	var d *Data
	number := 0
	for line := range strings.Lines(string(source)) {
		number++
		line = strings.TrimSuffix(line, "\n")
		var err error
		switch {
		case strings.HasPrefix(line, "\t=") && d != nil:
			var part []byte
			part, err = base64.RawStdEncoding.DecodeString(line[2:])
			d.Bytes = append(d.Bytes, part...)
		case strings.HasPrefix(line, "\t\"") && d != nil:
			var part string
			part, err = strconv.Unquote(line[1:])
			d.Bytes = append(d.Bytes, part...)
		default:
			var w []string
			if w, err = words(strings.TrimPrefix(line, "\t")); err != nil || len(w) == 0 {
				break
			}
			r := &reader{w: w[1:]}
			switch {
			case line[0] == '\t' && f != nil:
				f.Body = append(f.Body, r.instr(w[0]))
			case line[0] == '\t' && d != nil && w[0] == "ref":
				d.Refs = append(d.Refs, Ref{At: int(r.number()), Sym: r.word(), Add: r.number()})
			case w[0] == "func":
				d, f = nil, &Func{Name: r.word(), Sig: Sig(r.word()), Locals: []Type(r.word())}
				o.Funcs = append(o.Funcs, f)
			case w[0] == "data":
				f, d = nil, &Data{Name: r.word(), Size: int(r.number()), Align: int(r.number()), Const: r.word() == "const"}
				o.Data = append(o.Data, d)
			case w[0] == "global":
				g := &Global{Name: r.word(), Type: r.kind(), Value: r.number(), Const: r.word() == "const"}
				if len(r.w) > 0 {
					g.Sym = r.word()
				}
				f, d, o.Globals = nil, nil, append(o.Globals, g)
			default:
				err = errors.New("what is this?")
			}
			if err == nil {
				err = r.err
			}
			if err == nil && len(r.w) > 0 {
				err = errors.New("something is left over")
			}
		}
		if err != nil {
			return nil, fmt.Errorf("asm: line %d: %w", number, err)
		}
	}
	return o, nil
}

// A reader takes words off a line.
type reader struct {
	w   []string
	err error
}

func (r *reader) word() string {
	if len(r.w) == 0 {
		r.err = errShort
		return ""
	}
	w := r.w[0]
	r.w = r.w[1:]
	return w
}

func (r *reader) kind() Type {
	if w := r.word(); len(w) == 1 {
		return Type(w[0])
	}
	r.err = errShort
	return None
}

func (r *reader) number() int64 {
	n, err := strconv.ParseInt(r.word(), 10, 64)
	if err != nil && r.err == nil {
		r.err = err
	}
	return n
}

func (r *reader) instr(name string) Instr {
	op, ok := codes[name]
	if !ok {
		r.err = fmt.Errorf("no instruction %q", name)
		return Instr{}
	}
	in := Instr{Op: op}
	switch op {
	case BlockOp, Loop, If:
		in.Label = Label(r.number())
		if len(r.w) > 0 {
			in.Imm = int64(r.kind())
		}
	case Br, BrIf:
		in.Label = Label(r.number())
	case BrTable:
		for len(r.w) > 0 {
			in.Labels = append(in.Labels, Label(r.number()))
		}
	case LocalGet, LocalSet, LocalTee, I64Const, F64Const:
		in.Imm = r.number()
	case CallOp, CallIndirectOp, GlobalGet, GlobalSet:
		in.Sym = r.word()
	default:
		if op == I32Const || op.Width() > 0 {
			in.Imm = r.number()
			if len(r.w) > 0 {
				in.Sym = r.word()
			}
		}
	}
	return in
}
