// Package findtables makes the tables of package find from frozen patterns.
package findtables

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/privetdev/privet/internal/asm"
	"github.com/privetdev/privet/internal/scan"
	"github.com/privetdev/privet/wasm/emit/dense"
	"github.com/privetdev/privet/wasm/emit/find"
	"github.com/privetdev/privet/wasm/emit/tables"
)

// Path is that of the package whose variables are filled in.
const Path = "github.com/privetdev/privet/wasm/emit/find"

func padded(b []byte, to int) []byte {
	for len(b)%to != 0 {
		b = append(b, 0)
	}
	return b
}

// Of makes the tables of frozen patterns, whose automata it packs. groups tells for which patterns [find.Captures]
// is wanted beyond those that need a program anyway; nil for none.
func Of(u *scan.FrozenUnion, packer *tables.Packer, groups func(pattern int) bool) *tables.Tables {
	t := &tables.Tables{Package: "find"}
	n := len(u.Tables)
	f, m := u.Finder, u.Finder.Image()
	t.Scalar("Classes", f.Classes)
	t.Scalar("Words", f.Words)
	t.Scalar("Depth", f.Depth)
	t.Data = append(t.Data, &asm.Data{Name: "find.data.Finder", Bytes: m.Bytes, Size: len(m.Bytes), Align: 8, Const: true})
	t.View("Finder", "First", 8, m.First, len(f.First))
	t.View("Finder", "Later", 8, m.Later, len(f.Later))
	t.View("Finder", "Met", 8, m.Met, len(f.Met))
	t.View("Finder", "Lead", 4, m.Lead, len(f.Lead))
	t.View("Finder", "BitPattern", 2, m.Pattern, len(f.Pattern))
	t.View("Finder", "Pair", 1, m.Pair, len(f.Pair))
	t.View("Finder", "MetWords", 1, m.MetWords, len(f.MetWords))
	t.View("Finder", "Class", 1, m.Class, 256)
	t.View("Finder", "Second", 1, m.Second, 257)
	var marks, within []byte
	for _, need := range f.Needs() {
		b := need.Byte
		if need.Digit {
			b = '0'
		}
		marks, within = append(marks, b), binary.LittleEndian.AppendUint32(within, uint32(need.Within))
	}
	t.Bytes("NeedMark", 1, marks)
	t.Bytes("NeedWithin", 4, within)

	var ranges []byte
	for _, r := range u.Alphabet.Ranges {
		ranges = binary.LittleEndian.AppendUint32(ranges, r)
	}
	t.Bytes("Ranges", 4, ranges)
	t.Bytes("Kind", 1, kinds(u))

	var symbols, symbolsAt, rowsAt, width, states, events []byte
	seen := map[string]int{}
	// Automata of like size are often alike, and then compress better side by side.
	order := make([]int, 0, n)
	for i, table := range u.Tables {
		if table != nil {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := u.Tables[a], u.Tables[b]
		return cmp.Or(cmp.Compare(x.Classes, y.Classes), cmp.Compare(x.States, y.States))
	})
	place := make([]uint32, n)
	for _, i := range order {
		place[i] = uint32(packer.Add(u.Tables[i].Next, u.Tables[i].Classes))
	}
	for i, table := range u.Tables {
		if table == nil {
			table = &scan.Table{Classes: 1}
			place[i] = ^uint32(0)
		}
		rowsAt = binary.LittleEndian.AppendUint32(rowsAt, place[i])
		at, ok := seen[string(table.Class)]
		if !ok {
			at = len(symbols)
			seen[string(table.Class)] = at
			symbols = append(symbols, table.Class...)
		}
		symbolsAt = binary.LittleEndian.AppendUint32(symbolsAt, uint32(at))
		width = append(width, byte(table.Classes))
		for _, s := range table.Begin {
			states = binary.LittleEndian.AppendUint16(states, s)
		}
		events = binary.LittleEndian.AppendUint16(events, uint16(table.Events))
	}
	t.Bytes("Symbols", 1, symbols)
	t.Bytes("SymbolsAt", 4, symbolsAt)
	t.Bytes("RowsAt", 4, rowsAt)
	t.Bytes("Width", 1, width)
	t.Bytes("States", 2, states)
	t.Bytes("Events", 2, events)

	var spans, edges, edgesAt, programs, at []byte
	placed := map[scan.Edges]uint16{}
	most, slots := 0, 2
	for p := range n {
		how, e := u.Span(p)
		spans = append(spans, byte(how))
		if _, ok := placed[e]; !ok {
			placed[e] = uint16(len(edges) / 8)
			for _, set := range [][4]uint64{e.Before, e.After, e.First, e.Last} {
				for _, w := range set {
					edges = binary.LittleEndian.AppendUint64(edges, w)
				}
			}
		}
		edgesAt = binary.LittleEndian.AppendUint16(edgesAt, placed[e])
		where := ^uint32(0)
		wanted := u.Tables[p] == nil || how >= scan.SpanEither || groups != nil && groups(p)
		if program := u.Program(p); wanted && program != nil {
			programs = padded(programs, 4)
			where = uint32(len(programs))
			programs = append(programs, program.Image()...)
			most, slots = max(most, len(program.Insts)), max(slots, 2*program.Groups)
		}
		at = binary.LittleEndian.AppendUint32(at, where)
	}
	t.Bytes("SpanKind", 1, spans)
	t.Bytes("EdgesAt", 2, edgesAt)
	t.Bytes("Edges", 8, edges)
	programs = padded(programs, 4)
	t.Bytes("Programs8", 1, programs)
	t.View("Programs8", "Programs16", 2, 0, len(programs)/2)
	t.View("Programs8", "Programs32", 4, 0, len(programs)/4)
	t.Bytes("ProgramAt", 4, at)
	for _, name := range []string{"From", "Spare", "Deep", "Tried", "Stamp", "HitPattern", "HitEnd"} {
		t.Room(name, 4, n)
	}
	for _, name := range []string{"ThreadsA", "ThreadsB", "Seen"} {
		t.Room(name, 4, most)
	}
	t.Room("Stack", 4, 2*most+2)
	t.Room("CapsA", 4, most*slots)
	t.Room("CapsB", 4, most*slots)
	t.Room("Groups", 4, slots)
	return t
}

// kinds are those of the symbols, which the program of any pattern knows.
func kinds(u *scan.FrozenUnion) []byte {
	out := make([]byte, u.Alphabet.Symbols)
	for p := range u.Tables {
		if program := u.Program(p); program != nil {
			for s := range out {
				out[s] = program.Kinds[program.Class[s]]
			}
			break
		}
	}
	return out
}

// Native sets the variables of packages find and dense in this process.
func Native(t *tables.Tables, packer *tables.Packer) error {
	dense.Forget()
	err := packer.Tables().Native(map[string]any{"Rows": &dense.Rows, "Shapes": &dense.Shapes, "Back": &dense.Back,
		"Changes": &dense.Changes, "Classes": &dense.Classes, "Targets": &dense.Targets})
	if err != nil {
		return err
	}
	dense.Unpack()
	find.Forget()
	return t.Native(map[string]any{
		"Classes": &find.Classes, "Words": &find.Words, "Depth": &find.Depth,
		"Pair": &find.Pair, "MetWords": &find.MetWords, "Class": &find.Class, "Second": &find.Second, "NeedMark": &find.NeedMark,
		"Kind": &find.Kind, "Symbols": &find.Symbols, "SymbolsAt": &find.SymbolsAt, "RowsAt": &find.RowsAt, "Width": &find.Width, "States": &find.States, "Events": &find.Events, "SpanKind": &find.SpanKind, "Programs8": &find.Programs8,
		"BitPattern": &find.BitPattern, "Programs16": &find.Programs16, "EdgesAt": &find.EdgesAt,
		"Lead": &find.Lead, "Ranges": &find.Ranges, "Programs32": &find.Programs32,
		"First": &find.First, "Later": &find.Later, "Met": &find.Met, "Edges": &find.Edges,
		"NeedWithin": &find.NeedWithin, "ProgramAt": &find.ProgramAt, "From": &find.From, "Spare": &find.Spare, "Deep": &find.Deep,
		"Tried": &find.Tried, "Stamp": &find.Stamp, "HitPattern": &find.HitPattern, "HitEnd": &find.HitEnd, "ThreadsA": &find.ThreadsA, "ThreadsB": &find.ThreadsB,
		"Seen": &find.Seen, "Stack": &find.Stack, "CapsA": &find.CapsA, "CapsB": &find.CapsB, "Groups": &find.Groups,
	})
}
