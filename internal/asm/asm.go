// Package asm builds WebAssembly modules: functions as lists of instructions whose
// calls, globals, addresses and jumps are names, objects that hold such functions and
// their data, and a linker that drops what nothing needs, gives everything its number
// and writes a module. Equal input gives equal bytes.
//
// The modules use version 1.0 of WebAssembly only, with 32-bit and 64-bit integers and
// 64-bit floating point, one memory and no imports.
package asm

import "strings"

// A Type is the type of a value.
type Type byte

// The types, named by the letters that stand for them in a [Sig].
const (
	None Type = 0 // no value, for blocks
	I32  Type = 'i'
	I64  Type = 'l'
	F64  Type = 'd'
)

func (t Type) code() byte {
	switch t {
	case I32:
		return 0x7f
	case I64:
		return 0x7e
	case F64:
		return 0x7c
	}
	return 0x40
}

func (t Type) valid() bool { return t == I32 || t == I64 || t == F64 }

// A Sig is the type of a function: the letters of the parameters, a >, and the letter of
// the result if there is one. "iil>d" takes two i32 and an i64 and returns an f64.
type Sig string

// NewSig makes a signature of parameters and a result, which is [None] for none.
func NewSig(result Type, params ...Type) Sig {
	var b strings.Builder
	for _, p := range params {
		b.WriteByte(byte(p))
	}
	b.WriteByte('>')
	if result != None {
		b.WriteByte(byte(result))
	}
	return Sig(b.String())
}

// Params are the types of the parameters.
func (s Sig) Params() []Type {
	head, _, _ := strings.Cut(string(s), ">")
	return []Type(head)
}

// Result is the type of the result, [None] if there is none.
func (s Sig) Result() Type {
	if _, tail, _ := strings.Cut(string(s), ">"); tail != "" {
		return Type(tail[0])
	}
	return None
}

func (s Sig) valid() bool {
	head, tail, ok := strings.Cut(string(s), ">")
	for _, c := range []byte(head + tail) {
		ok = ok && Type(c).valid()
	}
	return ok && len(tail) <= 1
}

// A Label names a block, a loop or an if within a function, for jumps. Labels of one
// function differ; 0 is no label.
type Label int32

// An Instr is one instruction. Which fields count depends on Op; the functions of this
// package that make instructions tell.
type Instr struct {
	Op     Op
	Imm    int64   // value, bits of a float, number of a local, offset, type of a block
	Sym    string  // what it refers to
	Label  Label   // of a block or the target of a jump
	Labels []Label // the targets of a br_table, the default last
}

// A Func is a function. Its locals are numbered from 0, the parameters first.
type Func struct {
	Name   string
	Sig    Sig
	Locals []Type // behind the parameters
	Body   []Instr
}

// Data is a piece of memory. It begins with Bytes; the rest up to Size is zero.
type Data struct {
	Name  string
	Bytes []byte
	Size  int  // at least len(Bytes)
	Align int  // a power of two; 0 is 1
	Const bool // never written, so that equal pieces may be one
	Refs  []Ref
}

// A Ref puts the address of a piece of data, or the table index of a function, into four
// bytes of another piece.
type Ref struct {
	At  int    // where in Bytes
	Sym string // of what
	Add int64  // is added
}

// A Global is a global variable with its first value: bits for an [F64], and the
// address of Sym more if Sym is not empty.
type Global struct {
	Name  string
	Type  Type
	Value int64
	Sym   string
	Const bool
}

// An Object holds functions, data and globals that refer to each other, and to those of
// other objects, by name.
type Object struct {
	Funcs   []*Func
	Data    []*Data
	Globals []*Global
}

// Const pushes a constant of a type; for [F64] it is the bits.
func Const(t Type, v int64) Instr {
	switch t {
	case I64:
		return Instr{Op: I64Const, Imm: v}
	case F64:
		return Instr{Op: F64Const, Imm: v}
	}
	return Instr{Op: I32Const, Imm: int64(int32(v))}
}

// Addr pushes the address of a piece of data plus an offset, or the table index of a
// function.
func Addr(sym string, add int64) Instr { return Instr{Op: I32Const, Sym: sym, Imm: add} }

// Get pushes a local.
func Get(local int) Instr { return Instr{Op: LocalGet, Imm: int64(local)} }

// Set pops into a local.
func Set(local int) Instr { return Instr{Op: LocalSet, Imm: int64(local)} }

// Tee copies the top into a local.
func Tee(local int) Instr { return Instr{Op: LocalTee, Imm: int64(local)} }

// GetGlobal pushes a global.
func GetGlobal(sym string) Instr { return Instr{Op: GlobalGet, Sym: sym} }

// SetGlobal pops into a global.
func SetGlobal(sym string) Instr { return Instr{Op: GlobalSet, Sym: sym} }

// Call calls a function.
func Call(sym string) Instr { return Instr{Op: CallOp, Sym: sym} }

// CallIndirect calls the function whose table index is on top; the arguments are below.
func CallIndirect(sig Sig) Instr { return Instr{Op: CallIndirectOp, Sym: string(sig)} }

// Mem is a load or store at the address on the stack plus an offset, plus the address
// of a piece of data if sym is not empty.
func Mem(op Op, sym string, offset int64) Instr { return Instr{Op: op, Sym: sym, Imm: offset} }

// Block begins a block, a loop or an if that leaves a value of a type, or [None].
func Block(op Op, l Label, t Type) Instr { return Instr{Op: op, Label: l, Imm: int64(t)} }

// Jump is a br or br_if to the end of a block or the beginning of a loop.
func Jump(op Op, l Label) Instr { return Instr{Op: op, Label: l} }

// Table pops a number and jumps to the label at it, or to the last one.
func Table(labels ...Label) Instr { return Instr{Op: BrTable, Labels: labels} }
