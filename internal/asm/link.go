package asm

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// An Export makes a function, or a global, visible under a name.
type Export struct {
	Name, Sym string
}

// A Section is a custom section.
type Section struct {
	Name    string
	Content []byte
}

// Options say what [Link] makes of objects.
type Options struct {
	Exports  []Export
	Start    string    // a function without parameters and results that runs first; "" for none
	Memory   string    // the name under which the memory is exported; "" for not
	Base     int       // the first address that data may have; 0 is 16, so that 0 is nothing's
	Reserve  int       // bytes behind all data that the memory has at least
	MaxPages int       // pages of 64 KiB that the memory may grow to; 0 is what it begins with
	Grow     int       // bytes by which the memory may grow beyond what it begins with
	Sections []Section // at the end
}

// Constant globals that the linker makes.
const (
	EndSym  = "asm.end"  // the first address behind all data
	MostSym = "asm.most" // the first address behind the memory when it has grown as far as it may
)

// A Module is what [Link] made.
type Module struct {
	Wasm  []byte
	Addr  map[string]int // of data
	Sizes map[string]int // bytes of code by function
	Data  map[string]int // bytes of the module by data, without what is zero at the beginning
	End   int            // first address behind all data
	Most  int            // bytes that the memory may grow to
	Funcs []*Func        // as they were written, in their order
}

const pageSize = 1 << 16

// A linker gathers what is needed and where it goes.
type linker struct {
	symbols
	live    map[string]bool
	todo    []string
	problem []error
	alias   map[string]string // of equal constant data
	addr    map[string]int
	funcs   []*Func // live, tidied, in the order of the objects
	index   map[string]int
	data    []*Data
	globals []*Global
	globalI map[string]int
	table   []string // functions by table index; 0 is none
	tableI  map[string]int
	sigs    []Sig
	sigI    map[Sig]int
}

// Link makes a module of what the exports need. It refuses names that are missing or
// double, and functions that would make the module invalid, all at once.
func Link(o Options, objects ...*Object) (*Module, error) {
	l := &linker{
		symbols: symbols{map[string]*Func{}, map[string]*Data{}, map[string]*Global{
			EndSym: {Name: EndSym, Type: I32, Const: true}, MostSym: {Name: MostSym, Type: I32, Const: true}}},
		live: map[string]bool{}, alias: map[string]string{}, addr: map[string]int{}, index: map[string]int{},
		globalI: map[string]int{}, tableI: map[string]int{}, sigI: map[Sig]int{},
	}
	for _, object := range objects {
		l.declare(object)
	}
	for _, e := range o.Exports {
		if l.symbols.funcs[e.Sym] == nil && l.symbols.globals[e.Sym] == nil {
			l.fail("asm: export %s: no function or global %q", e.Name, e.Sym)
			continue
		}
		l.need(e.Sym)
	}
	if f := l.symbols.funcs[o.Start]; f != nil && f.Sig == ">" {
		l.need(o.Start)
	} else if o.Start != "" {
		l.fail("asm: start: no function %q without parameters and results", o.Start)
	}
	if len(l.problem) > 0 {
		return nil, errors.Join(l.problem...)
	}
	l.reach()
	if len(l.problem) > 0 {
		return nil, errors.Join(l.problem...)
	}
	end := l.layOut(o, objects)
	for _, object := range objects {
		for _, f := range object.Funcs {
			if g := l.symbols.funcs[f.Name]; g != nil && l.live[f.Name] && l.index[f.Name] == 0 {
				l.funcs = append(l.funcs, g)
				l.index[f.Name] = len(l.funcs) // one more, so that 0 is none
			}
		}
	}
	for i, g := range l.globals {
		l.globalI[g.Name] = i
	}
	return l.write(o, end), nil
}

func (l *linker) fail(format string, a ...any) {
	l.problem = append(l.problem, fmt.Errorf(format, a...))
}

func (l *linker) declare(object *Object) {
	double := func(name string) {
		if l.symbols.funcs[name] != nil || l.symbols.data[name] != nil || l.symbols.globals[name] != nil {
			l.fail("asm: %q is there twice", name)
		}
	}
	for _, f := range object.Funcs {
		double(f.Name)
		l.symbols.funcs[f.Name] = f
	}
	for _, g := range object.Globals {
		double(g.Name)
		l.symbols.globals[g.Name] = g
	}
	for _, d := range object.Data {
		if old := l.symbols.data[d.Name]; old != nil && old.Const && d.Const && same(old, d) {
			continue // two objects may bring one text
		}
		double(d.Name)
		if d.Align&(d.Align-1) != 0 || d.Size < len(d.Bytes) {
			l.fail("asm: data %q: size %d or alignment %d is wrong", d.Name, d.Size, d.Align)
		}
		l.symbols.data[d.Name] = d
	}
}

func same(a, b *Data) bool {
	return bytes.Equal(a.Bytes, b.Bytes) && a.Size == b.Size && max(a.Align, 1) == max(b.Align, 1) && slices.Equal(a.Refs, b.Refs)
}

func (l *linker) need(sym string) {
	if sym != "" && !l.live[sym] {
		l.live[sym] = true
		l.todo = append(l.todo, sym)
	}
}

// reach finds everything that the exports need, and checks the functions among it.
func (l *linker) reach() {
	for len(l.todo) > 0 {
		sym := l.todo[0]
		l.todo = l.todo[1:]
		if f := l.symbols.funcs[sym]; f != nil {
			if err := l.check(f); err != nil {
				l.problem = append(l.problem, err)
				continue
			}
			f = tidy(f)
			if err := l.check(f); err != nil {
				l.problem = append(l.problem, fmt.Errorf("asm: a fault of tidy: %w", err))
				continue
			}
			l.symbols.funcs[sym] = f
			for _, in := range f.Body {
				l.need(in.uses())
				if in.Op == I32Const && in.Sym != "" && l.symbols.funcs[in.Sym] != nil {
					l.slot(in.Sym)
				}
			}
		}
		if g := l.symbols.globals[sym]; g != nil && g.Sym != "" {
			if l.symbols.data[g.Sym] == nil {
				l.fail("asm: global %s: no data %q", g.Name, g.Sym)
			}
			l.need(g.Sym)
		}
		if d := l.symbols.data[sym]; d != nil {
			for _, r := range d.Refs {
				switch {
				case l.symbols.funcs[r.Sym] != nil:
					l.slot(r.Sym)
				case l.symbols.data[r.Sym] == nil:
					l.fail("asm: data %s: no function or data %q", d.Name, r.Sym)
				}
				if r.At < 0 || r.At+4 > len(d.Bytes) {
					l.fail("asm: data %s: a reference lies outside", d.Name)
				}
				l.need(r.Sym)
			}
		}
	}
}

// slot gives a function a place in the table.
func (l *linker) slot(name string) {
	if l.tableI[name] == 0 {
		l.table = append(l.table, name)
		l.tableI[name] = len(l.table)
	}
}

// layOut gives addresses to data: constants first, then what is written, then what is
// zero and needs no bytes in the module.
func (l *linker) layOut(o Options, objects []*Object) int {
	seen := map[string]bool{}
	byContent := map[string]*Data{}
	for _, object := range objects {
		for _, d := range object.Data {
			if !l.live[d.Name] || seen[d.Name] {
				continue
			}
			seen[d.Name] = true
			if d.Const && len(d.Refs) == 0 {
				key := fmt.Sprintf("%d %d %s", d.Size, max(d.Align, 1), d.Bytes)
				if old := byContent[key]; old != nil {
					l.alias[d.Name] = old.Name
					continue
				}
				byContent[key] = d
			}
			l.data = append(l.data, d)
		}
		for _, g := range object.Globals {
			if l.live[g.Name] {
				l.globals = append(l.globals, g)
			}
		}
	}
	for _, sym := range []string{EndSym, MostSym} {
		if l.live[sym] {
			l.globals = append(l.globals, l.symbols.globals[sym])
		}
	}
	rank := func(d *Data) int {
		switch {
		case len(bytes.TrimRight(d.Bytes, "\x00")) == 0 && len(d.Refs) == 0:
			return 2
		case d.Const:
			return 0
		}
		return 1
	}
	slices.SortStableFunc(l.data, func(a, b *Data) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.Align, a.Align))
	})
	at := o.Base
	if at == 0 {
		at = 16
	}
	for _, d := range l.data {
		align := max(d.Align, 1)
		at = (at + align - 1) &^ (align - 1)
		l.addr[d.Name] = at
		at += d.Size
	}
	for name, to := range l.alias {
		l.addr[name] = l.addr[to]
	}
	at = (at + 15) &^ 15
	l.addr[EndSym] = at
	return at
}

// value is the address or table index that a name stands for.
func (l *linker) value(sym string) int {
	if sym == "" {
		return 0
	}
	if l.symbols.funcs[sym] != nil {
		return l.tableI[sym]
	}
	return l.addr[sym]
}

func (l *linker) sig(s Sig) uint64 {
	i, ok := l.sigI[s]
	if !ok {
		i = len(l.sigs)
		l.sigI[s], l.sigs = i, append(l.sigs, s)
	}
	return uint64(i)
}

func uleb(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

func sleb(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func text(b []byte, s string) []byte { return append(uleb(b, uint64(len(s))), s...) }

func (l *linker) write(o Options, end int) *Module {
	m := &Module{Addr: l.addr, Sizes: map[string]int{}, Data: map[string]int{}, End: end, Funcs: l.funcs}
	out := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, content []byte) {
		if len(content) > 0 {
			out = append(uleb(append(out, id), uint64(len(content))), content...)
		}
	}
	vector := func(n int, items []byte) []byte {
		if n == 0 {
			return nil
		}
		return append(uleb(nil, uint64(n)), items...)
	}
	var functions, code []byte
	for _, f := range l.funcs {
		functions = uleb(functions, l.sig(f.Sig))
		body := l.encode(f)
		m.Sizes[f.Name] = len(body)
		code = append(uleb(code, uint64(len(body))), body...)
	}
	// The types are known after the code.
	var sigs []byte
	for _, s := range l.sigs {
		sigs = uleb(append(sigs, 0x60), uint64(len(s.Params())))
		for _, t := range s.Params() {
			sigs = append(sigs, t.code())
		}
		if t := s.Result(); t != None {
			sigs = append(sigs, 1, t.code())
		} else {
			sigs = append(sigs, 0)
		}
	}
	section(1, vector(len(l.sigs), sigs))
	section(3, vector(len(l.funcs), functions))
	if n := uint64(len(l.table) + 1); n > 1 {
		section(4, uleb(uleb([]byte{1, 0x70, 1}, n), n))
	}
	pages := (end + o.Reserve + pageSize - 1) / pageSize
	most := max(o.MaxPages, pages, (end+o.Reserve+o.Grow+pageSize-1)/pageSize)
	m.Most = most * pageSize
	section(5, uleb(uleb([]byte{1, 1}, uint64(pages)), uint64(most)))
	var globals []byte
	for _, g := range l.globals {
		v := g.Value
		switch g.Name {
		case EndSym:
			v = int64(end)
		case MostSym:
			v = int64(m.Most)
		}
		globals = append(globals, g.Type.code(), 1)
		if g.Const {
			globals[len(globals)-1] = 0
		}
		globals = append(l.constant(globals, g.Type, v+int64(l.value(g.Sym))), byte(End))
	}
	section(6, vector(len(l.globals), globals))
	var exports []byte
	count := len(o.Exports)
	for _, e := range o.Exports {
		exports = text(exports, e.Name)
		if i := l.index[e.Sym]; i > 0 {
			exports = uleb(append(exports, 0), uint64(i-1))
		} else {
			exports = uleb(append(exports, 3), uint64(l.globalI[e.Sym]))
		}
	}
	if o.Memory != "" {
		exports = append(text(exports, o.Memory), 2, 0)
		count++
	}
	section(7, vector(count, exports))
	if n := l.index[o.Start]; n > 0 {
		section(8, uleb(nil, uint64(n-1)))
	}
	if len(l.table) > 0 {
		elements := uleb([]byte{1, 0, byte(I32Const), 1, byte(End)}, uint64(len(l.table)))
		for _, name := range l.table {
			elements = uleb(elements, uint64(l.index[name]-1))
		}
		section(9, elements)
	}
	section(10, vector(len(l.funcs), code))
	section(11, l.segments(end, m.Data))
	for _, s := range o.Sections {
		section(0, append(text(nil, s.Name), s.Content...))
	}
	m.Wasm = out
	return m
}

// zeroRun is how many zero bytes begin another segment. The head of one is dearer than a
// dozen of them, and compressed, much dearer than that.
const zeroRun = 64

// segments writes the memory as it begins, without long runs of zeros, and counts the
// bytes of each piece of data.
func (l *linker) segments(end int, sizes map[string]int) []byte {
	memory := make([]byte, end)
	for _, d := range l.data {
		at := l.addr[d.Name]
		copy(memory[at:], d.Bytes)
		for _, r := range d.Refs {
			binary.LittleEndian.PutUint32(memory[at+r.At:], uint32(int64(l.value(r.Sym))+r.Add))
		}
	}
	var out []byte
	n, next := 0, 0 // next is the first data that does not end before a segment
	for at := 0; at < end; {
		if memory[at] == 0 {
			at++
			continue
		}
		stop, zeros := at, 0
		for i := at; i < end && zeros < zeroRun; i++ {
			if zeros++; memory[i] != 0 {
				zeros, stop = 0, i+1
			}
		}
		out = append(sleb(append(out, 0, byte(I32Const)), int64(at)), byte(End))
		out = append(uleb(out, uint64(stop-at)), memory[at:stop]...)
		for i := next; i < len(l.data) && l.addr[l.data[i].Name] < stop; i++ {
			d := l.data[i]
			from, to := l.addr[d.Name], l.addr[d.Name]+d.Size
			if to <= at {
				next = i + 1
				continue
			}
			sizes[d.Name] += min(to, stop) - max(from, at)
		}
		at = stop
		n++
	}
	if n == 0 {
		return nil
	}
	return append(uleb(nil, uint64(n)), out...)
}

func (l *linker) constant(b []byte, t Type, v int64) []byte {
	switch t {
	case I64:
		return sleb(append(b, byte(I64Const)), v)
	case F64:
		return binary.LittleEndian.AppendUint64(append(b, byte(F64Const)), uint64(v))
	}
	return sleb(append(b, byte(I32Const)), int64(int32(v)))
}

func (l *linker) encode(f *Func) []byte {
	var b []byte
	var runs []byte
	n := 0
	for i := 0; i < len(f.Locals); n++ {
		j := i
		for j < len(f.Locals) && f.Locals[j] == f.Locals[i] {
			j++
		}
		runs = append(uleb(runs, uint64(j-i)), f.Locals[i].code())
		i = j
	}
	b = append(uleb(b, uint64(n)), runs...)
	var open []Label
	depth := func(label Label) uint64 {
		for i := len(open) - 1; i >= 0; i-- {
			if open[i] == label {
				return uint64(len(open) - 1 - i)
			}
		}
		return 0 // check has seen that there is one
	}
	for _, in := range f.Body {
		switch in.Op {
		case I32Const:
			b = l.constant(b, I32, in.Imm+int64(l.value(in.Sym)))
			continue
		case I64Const:
			b = l.constant(b, I64, in.Imm)
			continue
		case F64Const:
			b = l.constant(b, F64, in.Imm)
			continue
		}
		b = append(b, byte(in.Op))
		switch in.Op {
		case BlockOp, Loop, If:
			b = append(b, Type(in.Imm).code())
			open = append(open, in.Label)
		case End:
			open = open[:len(open)-1]
		case Br, BrIf:
			b = uleb(b, depth(in.Label))
		case BrTable:
			b = uleb(b, uint64(len(in.Labels)-1))
			for _, label := range in.Labels {
				b = uleb(b, depth(label))
			}
		case CallOp:
			b = uleb(b, uint64(l.index[in.Sym]-1))
		case CallIndirectOp:
			b = append(uleb(b, l.sig(Sig(in.Sym))), 0)
		case LocalGet, LocalSet, LocalTee:
			b = uleb(b, uint64(in.Imm))
		case GlobalGet, GlobalSet:
			b = uleb(b, uint64(l.globalI[in.Sym]))
		case MemorySize, MemoryGrow:
			b = append(b, 0)
		default:
			if width := ops[in.Op].width; width > 0 {
				align := uint64(0)
				for ; 1<<align < width; align++ {
				}
				b = uleb(uleb(b, align), uint64(uint32(in.Imm+int64(l.value(in.Sym)))))
			}
		}
	}
	return append(b, byte(End))
}
