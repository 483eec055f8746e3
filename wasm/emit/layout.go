package emit

import (
	"fmt"
	"strings"

	"github.com/privetdev/privet/internal/asm"
	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/subgo/symbols"
)

// The memory of a module: data first, then the input buffer, which begins where the data
// ends and grows with pv1_scratch, then the work memory up to the end, which grows with
// run.Room. Nothing in the work memory is needed after a call, so it may begin elsewhere
// in the next one.
const (
	describeSym = "abi.description"
	inputSize   = 64 << 10 // the input buffer as it begins
	workSize    = 64 << 10 // the work memory that there is always
)

// layoutSource is what modules have that is not written in Go. $IN is the largest input,
// $INPUT the size of the input buffer as it begins.
const layoutSource = `
global abi.asked i 0 var
global abi.size i $INPUT var
data abi.result 16 16 var
func abi.version >i ""
	i32.const 65536
func abi.place >i ""
	i32.const 0 abi.result
func abi.done i>i ""
	i32.const 0 abi.result
	i64.const 0
	i64.store 0
	i32.const 8 abi.result
	local.get 0
	i64.extend_i32_u
	i64.store 0
	local.get 0
func abi.reach i>i "i"
	local.get 0
	memory.size
	i32.const 16
	i32.shl
	i32.sub
	local.tee 1
	i32.const 0
	i32.gt_s
	if 1
	local.get 1
	i32.const 65535
	i32.add
	i32.const 16
	i32.shr_u
	memory.grow
	i32.const -1
	i32.eq
	if 2
	i32.const 0
	return
	end
	end
	i32.const 1
func abi.work > "i"
	global.get asm.end
	global.get abi.size
	i32.add
	local.tee 0
	global.set run.Work8.0
	local.get 0
	global.set run.Work32.0
	memory.size
	i32.const 16
	i32.shl
	local.get 0
	i32.sub
	local.tee 0
	global.set run.Work8.1
	local.get 0
	i32.const 2
	i32.shr_u
	global.set run.Work32.1
func run.Room i>i "i"
	global.get asm.end
	global.get abi.size
	i32.add
	local.set 1
	local.get 0
	global.get asm.most
	local.get 1
	i32.sub
	i32.gt_u
	if 1
	i32.const 0
	return
	end
	local.get 0
	local.get 1
	i32.add
	call abi.reach
	i32.eqz
	if 2
	i32.const 0
	return
	end
	call abi.work
	i32.const 1
func abi.scratch i>i "i"
	block 1
	local.get 0
	i32.const $IN
	i32.gt_u
	br_if 1
	local.get 0
	global.get abi.size
	i32.gt_u
	if 2
	global.get asm.end
	local.get 0
	i32.const 65535
	i32.add
	i32.const -65536
	i32.and
	local.tee 1
	i32.add
	i32.const $WORK
	i32.add
	call abi.reach
	i32.eqz
	br_if 1
	local.get 1
	global.set abi.size
	end
	local.get 0
	global.set abi.asked
	i32.const 0
	call abi.done
	drop
	global.get asm.end
	return
	end
	i32.const -5
	call abi.done
	drop
	i32.const 0
func abi.inside ii>i ""
	block 1
	local.get 1
	i32.eqz
	br_if 1
	local.get 1
	i32.const $IN
	i32.gt_u
	if 2
	i32.const -5
	call abi.done
	return
	end
	local.get 0
	global.get asm.end
	i32.sub
	local.tee 0
	global.get abi.asked
	i32.gt_u
	local.get 1
	global.get abi.asked
	local.get 0
	i32.sub
	i32.gt_u
	i32.or
	i32.eqz
	br_if 1
	i32.const -4
	call abi.done
	return
	end
	i32.const 0
func abi.ready iii>i ""
	local.get 0
	i32.const 1
	i32.ne
	if 1
	i32.const -3
	call abi.done
	return
	end
	$CLEAR
	call abi.work
	local.get 1
	local.get 2
	call abi.inside
func abi.answer i>i ""
	global.get subgo.fault
	if 1
	i32.const 0
	global.set subgo.fault
	i32.const -1
	local.set 0
	end
	local.get 0
	call abi.done
	i32.const 0
	i32.lt_s
	if 2
	local.get 0
	return
	end
	i32.const 0 abi.result
	global.get run.OutAt
	i32.const 2
	i32.shl
	global.get run.Work32.0
	i32.add
	i32.store 0
	i32.const 4 abi.result
	global.get run.OutLen
	i32.const 2
	i32.shl
	i32.store 0
	i32.const 12 abi.result
	global.get run.OutFlags
	i32.store 0
	local.get 0
func abi.describe >i ""
	i32.const 0
	call abi.done
	i32.const 0 abi.result
	i32.const 0 abi.description
	i32.store 0
	i32.const 4 abi.result
	i32.const $DESCRIBE
	i32.store 0
func abi.field iiiii>i "iii"
	local.get 0
	local.get 1
	local.get 2
	call abi.ready
	local.tee 5
	if 1
	local.get 5
	return
	end
	local.get 3
	local.get 4
	call abi.inside
	local.tee 5
	if 2
	local.get 5
	return
	end
	local.get 1
	global.set run.Name.0
	local.get 2
	global.set run.Name.1
	local.get 3
	global.set run.Value.0
	local.get 4
	global.set run.Value.1
	call run.Field
	call abi.answer
	local.tee 5
	i32.const 0
	i32.gt_s
	if 3
	i32.const 4 abi.result
	local.get 5
	i32.const 4
	i32.shl
	i32.store 0
	i32.const 0 abi.result
	i32.load 0
	local.tee 6
	local.set 7
	loop 4
	local.get 6
	local.get 7
	i64.load 0
	i64.store 0
	local.get 6
	local.get 7
	i64.load 8
	i64.store 8
	local.get 6
	i32.const 16
	i32.add
	local.set 6
	local.get 7
	i32.const 24
	i32.add
	local.set 7
	local.get 5
	i32.const 1
	i32.sub
	local.tee 5
	br_if 4
	end
	end
	i32.const 8 abi.result
	i32.load 0
func abi.record iii>i ""
	local.get 0
	local.get 1
	local.get 2
	call abi.ready
	local.tee 0
	if 1
	local.get 0
	return
	end
	local.get 1
	local.get 2
	call run.Record
	call abi.answer
func abi.scan iii>i ""
	local.get 0
	local.get 1
	local.get 2
	call abi.ready
	local.tee 0
	if 1
	local.get 0
	return
	end
	local.get 1
	global.set run.Value.0
	local.get 2
	global.set run.Value.1
	call run.Text
	call abi.answer
func abi.variable iii> ""
	local.get 0
	i32.const 3
	i32.shl
	local.tee 0
	local.get 1
	i32.store 0 expr.vars
	local.get 0
	local.get 2
	i32.store 4 expr.vars
`

// exports are the functions of a module, in the order of their names.
var exports = []asm.Export{
	{Name: "pv1_abi", Sym: "abi.version"}, {Name: "pv1_classify_field", Sym: "abi.field"}, {Name: "pv1_classify_record", Sym: "abi.record"},
	{Name: "pv1_describe", Sym: "abi.describe"}, {Name: "pv1_result", Sym: "abi.place"}, {Name: "pv1_scan", Sym: "abi.scan"}, {Name: "pv1_scratch", Sym: "abi.scratch"},
}

// cleared are the texts and numbers of package run that are set anew for each call.
var cleared = strings.Fields("Name Path Type Source Description Value TagCount ContextCount OutAt OutLen OutFlags workTop")

// layout makes what stands between the exports and package run, and the functions that
// run takes from its embedder.
func (p *plan) layout(describe []byte, maxInput int) (*asm.Object, error) {
	var clear strings.Builder
	for i, name := range cleared {
		for _, part := range []string{".0", ".1"} {
			if i >= 6 {
				part = ""
			}
			fmt.Fprintf(&clear, "i32.const 0\n\tglobal.set run.%s%s\n\t", name, part)
			if part == "" {
				break
			}
		}
	}
	source := strings.NewReplacer("$INPUT", fmt.Sprint(inputSize), "$IN", fmt.Sprint(maxInput), "$WORK", fmt.Sprint(workSize),
		"$DESCRIBE", fmt.Sprint(len(describe)), "\t$CLEAR\n", strings.TrimRight("\t"+clear.String(), "\t")).Replace(layoutSource[1:])
	o, err := asm.Unmarshal([]byte(source))
	if err != nil {
		return nil, err
	}
	o.Data = append(o.Data, &asm.Data{Name: describeSym, Bytes: describe, Size: len(describe), Const: true})
	for _, name := range []string{"SetText", "SetList", "SetMap"} {
		o.Funcs = append(o.Funcs, &asm.Func{Name: "run." + name, Sig: "iii>", Body: []asm.Instr{asm.Get(0), asm.Get(1), asm.Get(2), asm.Call("abi.variable")}})
	}
	o.Funcs = append(o.Funcs, p.eval())
	for i := range p.exprs.Patterns() {
		o.Funcs = append(o.Funcs, &asm.Func{Name: matchSym(i), Sig: "ii>i", Body: []asm.Instr{asm.Const(asm.I32, int64(i)), asm.Get(0), asm.Get(1), asm.Call("run.Matches")}})
	}
	return o, nil
}

// eval is run.Eval: a jump to the call of a condition.
func (p *plan) eval() *asm.Func {
	f := &asm.Func{Name: "run.Eval", Sig: "i>i"}
	if len(p.evals) == 0 {
		f.Body = []asm.Instr{asm.Const(asm.I32, 0)}
		return f
	}
	var labels []asm.Label
	for i := range p.evals {
		labels = append(labels, asm.Label(i+1))
	}
	for i := range p.evals {
		f.Body = append(f.Body, asm.Block(asm.BlockOp, labels[len(labels)-1-i], asm.None))
	}
	f.Body = append(f.Body, asm.Get(0), asm.Table(labels...))
	for i, name := range p.evals {
		f.Body = append(f.Body, asm.Instr{Op: asm.End}, asm.Call(name))
		if i < len(p.evals)-1 {
			f.Body = append(f.Body, asm.Instr{Op: asm.Return})
		}
	}
	return f
}

// asks makes the functions of is and finds.
func (p *plan) asks(calls []Call) *asm.Object {
	o := &asm.Object{}
	for _, c := range calls {
		f := &asm.Func{Name: c.Sym, Sig: c.Sig}
		if n := p.detector(c.Constant); n < 0 {
			f.Body = []asm.Instr{asm.Const(asm.I32, int64(expr.BadArgument)), asm.SetGlobal(symbols.Result(1, asm.I32)), asm.Const(asm.I32, 0)}
		} else {
			whole := int64(0)
			if c.Name == "is" {
				whole = 1
			}
			f.Body = []asm.Instr{asm.Const(asm.I32, int64(n)), asm.Get(0), asm.Get(1), asm.Const(asm.I32, whole), asm.Call("run.Ask")}
		}
		o.Funcs = append(o.Funcs, f)
	}
	return o
}

// variables is the size of the memory of variables: that of all that there are, because
// package run sets them whether a condition has them or not.
func variables() int {
	offsets := offsetsOf(profile.Match)
	return offsets[len(offsets)-1]
}
