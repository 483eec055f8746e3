// Package tables gives values to the variables of packages that internal/subgo compiled.
//
// A slice variable of a compiled package that is written somewhere is two globals, its
// address and its length, and a scalar one global. So tables become data, and their
// addresses and lengths the first values of the globals. The functions that are compiled
// must have one among them that writes the variables, by custom called Forget, so that
// they count as written; the linker drops it.
package tables

import (
	"encoding/binary"
	"fmt"

	"github.com/privetdev/privet/internal/asm"
)

// A Table is the value of a slice variable.
type Table struct {
	Name  string
	Width int    // bytes of an element
	Data  string // which of Tables.Data it lies in
	At    int    // where
	Len   int    // elements
}

// A Scalar is the value of a number or bool.
type Scalar struct {
	Name  string
	Value int
}

// Tables are the values of variables of one package.
type Tables struct {
	Package string // its name, with which symbols begin
	Slices  []Table
	Scalars []Scalar
	Data    []*asm.Data
}

// Scalar sets a number, or a bool to 0 or 1.
func (t *Tables) Scalar(name string, value int) { t.Scalars = append(t.Scalars, Scalar{name, value}) }

// Bytes makes a table of elements of some bytes, little-endian, that is never written.
func (t *Tables) Bytes(name string, width int, data []byte) {
	t.Data = append(t.Data, &asm.Data{Name: t.data(name), Bytes: data, Size: len(data), Align: 8, Const: true})
	t.Slices = append(t.Slices, Table{name, width, t.data(name), 0, len(data) / width})
}

// Uint16 makes a table that is never written.
func (t *Tables) Uint16(name string, values []uint16) {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	t.Bytes(name, 2, b)
}

// Uint32 makes a table that is never written.
func (t *Tables) Uint32(name string, values []uint32) {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	t.Bytes(name, 4, b)
}

// Room makes a table of n zeros that is written.
func (t *Tables) Room(name string, width, n int) {
	t.Data = append(t.Data, &asm.Data{Name: t.data(name), Size: width * n, Align: 8})
	t.Slices = append(t.Slices, Table{name, width, t.data(name), 0, n})
}

// View makes a table that is a part of the data of another one.
func (t *Tables) View(of, name string, width, at, n int) {
	t.Slices = append(t.Slices, Table{name, width, t.data(of), at, n})
}

func (t *Tables) data(name string) string { return t.Package + ".data." + name }

// Fill puts the tables into an object that has the package compiled. Whoever reads one
// of the variables has its value as a constant then.
func (t *Tables) Fill(o *asm.Object) error {
	values := map[string]asm.Instr{} // by global
	for _, s := range t.Scalars {
		values[t.Package+"."+s.Name] = asm.Const(asm.I32, int64(s.Value))
	}
	for _, s := range t.Slices {
		values[t.Package+"."+s.Name+".0"] = asm.Addr(s.Data, int64(s.At))
		values[t.Package+"."+s.Name+".1"] = asm.Const(asm.I32, int64(s.Len))
	}
	found := map[string]bool{}
	for _, g := range o.Globals {
		if v, ok := values[g.Name]; ok {
			g.Sym, g.Value = v.Sym, v.Imm
			found[g.Name] = true
		}
	}
	for _, s := range t.Slices {
		if !found[t.Package+"."+s.Name+".0"] {
			return fmt.Errorf("tables: %s.%s is no variable of the object: compile %s.Forget with it", t.Package, s.Name, t.Package)
		}
	}
	for _, f := range o.Funcs {
		if f.Name == t.Package+".Forget" {
			continue // nobody calls it
		}
		for i, in := range f.Body {
			if v, ok := values[in.Sym]; ok && in.Op == asm.GlobalGet {
				f.Body[i] = v
			}
		}
	}
	o.Data = append(o.Data, t.Data...)
	return nil
}

// Native sets variables in this process: vars are pointers to them by name, to slices of
// unsigned and signed numbers, to int and to bool.
func (t *Tables) Native(vars map[string]any) error {
	for _, s := range t.Scalars {
		switch p := vars[s.Name].(type) {
		case *int:
			*p = s.Value
		case *bool:
			*p = s.Value != 0
		default:
			return fmt.Errorf("tables: no variable %s", s.Name)
		}
	}
	bytes := map[string][]byte{}
	for _, d := range t.Data {
		bytes[d.Name] = append(d.Bytes[:len(d.Bytes):len(d.Bytes)], make([]byte, d.Size-len(d.Bytes))...)
	}
	for _, s := range t.Slices {
		b := bytes[s.Data][s.At : s.At+s.Len*s.Width]
		switch p := vars[s.Name].(type) {
		case *[]byte:
			*p = b
		case *[]uint16:
			*p = decode(b, 2, binary.LittleEndian.Uint16)
		case *[]uint32:
			*p = decode(b, 4, binary.LittleEndian.Uint32)
		case *[]uint64:
			*p = decode(b, 8, binary.LittleEndian.Uint64)
		case *[]int32:
			*p = decode(b, 4, func(b []byte) int32 { return int32(binary.LittleEndian.Uint32(b)) })
		default:
			return fmt.Errorf("tables: no variable %s", s.Name)
		}
	}
	return nil
}

func decode[T any](b []byte, width int, one func([]byte) T) []T {
	var out []T
	for ; len(b) >= width; b = b[width:] {
		out = append(out, one(b))
	}
	return out
}
