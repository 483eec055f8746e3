package subgo

import (
	"github.com/privetdev/privet/internal/asm"
	"github.com/privetdev/privet/internal/subgo/symbols"
)

// Names in the objects that [Compile] makes.
const (
	// FaultSym is the global that is 1 after a fault, see [symbols.Fault].
	FaultSym = symbols.Fault
	// StackSym is the stack of local arrays.
	StackSym = symbols.Stack

	stackTop  = "subgo.sp"
	stackSize = 16 << 10
)

// ResultSym is the global of a part of the results, see [symbols.Result].
func ResultSym(n int, t asm.Type) string { return symbols.Result(n, t) }

// runtimeSource is what compiled functions call that is not written in Go.
const runtimeSource = `
func subgo.equal iiii>i ""
	local.get 1
	local.get 3
	i32.ne
	if 1
	i32.const 0
	return
	end
	block 2
	loop 3
	local.get 1
	i32.eqz
	br_if 2
	local.get 0
	i32.load8_u 0
	local.get 2
	i32.load8_u 0
	i32.ne
	if 4
	i32.const 0
	return
	end
	local.get 0
	i32.const 1
	i32.add
	local.set 0
	local.get 2
	i32.const 1
	i32.add
	local.set 2
	local.get 1
	i32.const 1
	i32.sub
	local.set 1
	br 3
	end
	end
	i32.const 1
func subgo.compare iiii>i "iii"
	block 1
	loop 2
	local.get 4
	local.get 1
	i32.ge_u
	br_if 1
	local.get 4
	local.get 3
	i32.ge_u
	br_if 1
	local.get 0
	local.get 4
	i32.add
	i32.load8_u 0
	local.set 5
	local.get 2
	local.get 4
	i32.add
	i32.load8_u 0
	local.set 6
	local.get 5
	local.get 6
	i32.ne
	if 3
	local.get 5
	local.get 6
	i32.sub
	return
	end
	local.get 4
	i32.const 1
	i32.add
	local.set 4
	br 2
	end
	end
	local.get 1
	local.get 3
	i32.gt_u
	local.get 1
	local.get 3
	i32.lt_u
	i32.sub
func subgo.zero ii> ""
	block 1
	loop 2
	local.get 1
	i32.const 8
	i32.lt_u
	br_if 1
	local.get 0
	i64.const 0
	i64.store 0
	local.get 0
	i32.const 8
	i32.add
	local.set 0
	local.get 1
	i32.const 8
	i32.sub
	local.set 1
	br 2
	end
	end
	block 3
	loop 4
	local.get 1
	i32.eqz
	br_if 3
	local.get 0
	i32.const 0
	i32.store8 0
	local.get 0
	i32.const 1
	i32.add
	local.set 0
	local.get 1
	i32.const 1
	i32.sub
	local.set 1
	br 4
	end
	end
func subgo.copy iii> ""
	local.get 0
	local.get 1
	i32.sub
	local.get 2
	i32.lt_u
	if 5
	block 1
	loop 2
	local.get 2
	i32.eqz
	br_if 1
	local.get 0
	local.get 2
	i32.const 1
	i32.sub
	local.set 2
	local.get 2
	i32.add
	local.get 1
	local.get 2
	i32.add
	i32.load8_u 0
	i32.store8 0
	br 2
	end
	end
	return
	end
	block 6
	loop 7
	local.get 2
	i32.const 8
	i32.lt_u
	br_if 6
	local.get 0
	local.get 1
	i64.load 0
	i64.store 0
	local.get 0
	i32.const 8
	i32.add
	local.set 0
	local.get 1
	i32.const 8
	i32.add
	local.set 1
	local.get 2
	i32.const 8
	i32.sub
	local.set 2
	br 7
	end
	end
	block 3
	loop 4
	local.get 2
	i32.eqz
	br_if 3
	local.get 0
	local.get 1
	i32.load8_u 0
	i32.store8 0
	local.get 0
	i32.const 1
	i32.add
	local.set 0
	local.get 1
	i32.const 1
	i32.add
	local.set 1
	local.get 2
	i32.const 1
	i32.sub
	local.set 2
	br 4
	end
	end
func subgo.f2l d>l ""
	local.get 0
	f64.const -4332462841530417152
	f64.ge
	local.get 0
	f64.const 4890909195324358656
	f64.lt
	i32.and
	if 1 l
	local.get 0
	i64.trunc_f64_s
	else
	i64.const -9223372036854775808
	end
func subgo.f2q d>l ""
	local.get 0
	f64.const 4890909195324358656
	f64.ge
	if 1 l
	local.get 0
	f64.const 4890909195324358656
	f64.sub
	call subgo.f2l
	i64.const -9223372036854775808
	i64.xor
	else
	local.get 0
	call subgo.f2l
	end
`

// runtimeObject is what every object has; the linker drops what nobody calls.
func runtimeObject() (*asm.Object, error) {
	o, err := asm.Unmarshal([]byte(runtimeSource[1:]))
	if err != nil {
		return nil, err
	}
	o.Globals = append(o.Globals,
		&asm.Global{Name: FaultSym, Type: asm.I32},
		&asm.Global{Name: stackTop, Type: asm.I32, Sym: StackSym, Value: stackSize})
	for n := 1; n < 10; n++ {
		for _, t := range []asm.Type{asm.I32, asm.I64, asm.F64} {
			o.Globals = append(o.Globals, &asm.Global{Name: ResultSym(n, t), Type: t})
		}
	}
	o.Data = append(o.Data, &asm.Data{Name: StackSym, Size: stackSize, Align: 16})
	return o, nil
}

// intrinsicSource declares what the compiler makes instructions of.
var intrinsicSource = map[string]string{
	"math": `package math
func Floor(x float64) float64
func Ceil(x float64) float64
func Trunc(x float64) float64
func RoundToEven(x float64) float64
func Sqrt(x float64) float64
func Abs(x float64) float64
func Copysign(f, sign float64) float64
func Float64bits(f float64) uint64
func Float64frombits(b uint64) float64
`,
	"math/bits": `package bits
const UintSize = 32
func LeadingZeros32(x uint32) int
func LeadingZeros64(x uint64) int
func TrailingZeros32(x uint32) int
func TrailingZeros64(x uint64) int
func OnesCount32(x uint32) int
func OnesCount64(x uint64) int
func RotateLeft32(x uint32, k int) uint32
func RotateLeft64(x uint64, k int) uint64
func Len32(x uint32) int { return 32 - LeadingZeros32(x) }
func Len64(x uint64) int { return 64 - LeadingZeros64(x) }
`,
}

// wideLoad is the function that is one load.
const wideLoad = "github.com/privetdev/privet/internal/wide.Load"

// intrinsics are the instructions behind the arguments.
var intrinsics = map[string][]asm.Op{
	"math.Floor": {asm.F64Floor}, "math.Ceil": {asm.F64Ceil}, "math.Trunc": {asm.F64Trunc}, "math.RoundToEven": {asm.F64Nearest},
	"math.Sqrt": {asm.F64Sqrt}, "math.Abs": {asm.F64Abs}, "math.Copysign": {asm.F64Copysign},
	"math.Float64bits": {asm.I64ReinterpretF64}, "math.Float64frombits": {asm.F64ReinterpretI64},
	"math/bits.LeadingZeros32": {asm.I32Clz}, "math/bits.TrailingZeros32": {asm.I32Ctz}, "math/bits.OnesCount32": {asm.I32Popcnt},
	"math/bits.LeadingZeros64": {asm.I64Clz, asm.I32WrapI64}, "math/bits.TrailingZeros64": {asm.I64Ctz, asm.I32WrapI64},
	"math/bits.OnesCount64": {asm.I64Popcnt, asm.I32WrapI64}, "math/bits.RotateLeft32": {asm.I32Rotl}, "math/bits.RotateLeft64": {asm.I64ExtendI32U, asm.I64Rotl},
}

// loads and stores by width and, for loads, sign.
func loadOp(t asm.Type, size int, signed bool) asm.Op {
	switch {
	case t == asm.F64:
		return asm.F64Load
	case t == asm.I64:
		return asm.I64Load
	case size == 4:
		return asm.I32Load
	}
	at := 0
	if size == 2 {
		at = 2
	}
	if !signed {
		at++
	}
	return []asm.Op{asm.I32Load8S, asm.I32Load8U, asm.I32Load16S, asm.I32Load16U}[at]
}

func storeOp(t asm.Type, size int) asm.Op {
	switch {
	case t == asm.F64:
		return asm.F64Store
	case t == asm.I64:
		return asm.I64Store
	case size == 4:
		return asm.I32Store
	case size == 2:
		return asm.I32Store16
	}
	return asm.I32Store8
}
