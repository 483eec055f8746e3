package asm

// An Op is the code of an instruction. The names follow the text format: [I32Load8U] is
// i32.load8_u.
type Op byte

// The instructions.
const (
	Unreachable       Op = 0x00
	Nop               Op = 0x01
	BlockOp           Op = 0x02
	Loop              Op = 0x03
	If                Op = 0x04
	Else              Op = 0x05
	End               Op = 0x0b
	Br                Op = 0x0c
	BrIf              Op = 0x0d
	BrTable           Op = 0x0e
	Return            Op = 0x0f
	CallOp            Op = 0x10
	CallIndirectOp    Op = 0x11
	Drop              Op = 0x1a
	Select            Op = 0x1b
	LocalGet          Op = 0x20
	LocalSet          Op = 0x21
	LocalTee          Op = 0x22
	GlobalGet         Op = 0x23
	GlobalSet         Op = 0x24
	I32Load           Op = 0x28
	I64Load           Op = 0x29
	F64Load           Op = 0x2b
	I32Load8S         Op = 0x2c
	I32Load8U         Op = 0x2d
	I32Load16S        Op = 0x2e
	I32Load16U        Op = 0x2f
	I64Load8S         Op = 0x30
	I64Load8U         Op = 0x31
	I64Load16S        Op = 0x32
	I64Load16U        Op = 0x33
	I64Load32S        Op = 0x34
	I64Load32U        Op = 0x35
	I32Store          Op = 0x36
	I64Store          Op = 0x37
	F64Store          Op = 0x39
	I32Store8         Op = 0x3a
	I32Store16        Op = 0x3b
	I64Store8         Op = 0x3c
	I64Store16        Op = 0x3d
	I64Store32        Op = 0x3e
	MemorySize        Op = 0x3f
	MemoryGrow        Op = 0x40
	I32Const          Op = 0x41
	I64Const          Op = 0x42
	F64Const          Op = 0x44
	I32Eqz            Op = 0x45
	I32Eq             Op = 0x46
	I32Ne             Op = 0x47
	I32LtS            Op = 0x48
	I32LtU            Op = 0x49
	I32GtS            Op = 0x4a
	I32GtU            Op = 0x4b
	I32LeS            Op = 0x4c
	I32LeU            Op = 0x4d
	I32GeS            Op = 0x4e
	I32GeU            Op = 0x4f
	I64Eqz            Op = 0x50
	I64Eq             Op = 0x51
	I64Ne             Op = 0x52
	I64LtS            Op = 0x53
	I64LtU            Op = 0x54
	I64GtS            Op = 0x55
	I64GtU            Op = 0x56
	I64LeS            Op = 0x57
	I64LeU            Op = 0x58
	I64GeS            Op = 0x59
	I64GeU            Op = 0x5a
	F64Eq             Op = 0x61
	F64Ne             Op = 0x62
	F64Lt             Op = 0x63
	F64Gt             Op = 0x64
	F64Le             Op = 0x65
	F64Ge             Op = 0x66
	I32Clz            Op = 0x67
	I32Ctz            Op = 0x68
	I32Popcnt         Op = 0x69
	I32Add            Op = 0x6a
	I32Sub            Op = 0x6b
	I32Mul            Op = 0x6c
	I32DivS           Op = 0x6d
	I32DivU           Op = 0x6e
	I32RemS           Op = 0x6f
	I32RemU           Op = 0x70
	I32And            Op = 0x71
	I32Or             Op = 0x72
	I32Xor            Op = 0x73
	I32Shl            Op = 0x74
	I32ShrS           Op = 0x75
	I32ShrU           Op = 0x76
	I32Rotl           Op = 0x77
	I32Rotr           Op = 0x78
	I64Clz            Op = 0x79
	I64Ctz            Op = 0x7a
	I64Popcnt         Op = 0x7b
	I64Add            Op = 0x7c
	I64Sub            Op = 0x7d
	I64Mul            Op = 0x7e
	I64DivS           Op = 0x7f
	I64DivU           Op = 0x80
	I64RemS           Op = 0x81
	I64RemU           Op = 0x82
	I64And            Op = 0x83
	I64Or             Op = 0x84
	I64Xor            Op = 0x85
	I64Shl            Op = 0x86
	I64ShrS           Op = 0x87
	I64ShrU           Op = 0x88
	I64Rotl           Op = 0x89
	I64Rotr           Op = 0x8a
	F64Abs            Op = 0x99
	F64Neg            Op = 0x9a
	F64Ceil           Op = 0x9b
	F64Floor          Op = 0x9c
	F64Trunc          Op = 0x9d
	F64Nearest        Op = 0x9e
	F64Sqrt           Op = 0x9f
	F64Add            Op = 0xa0
	F64Sub            Op = 0xa1
	F64Mul            Op = 0xa2
	F64Div            Op = 0xa3
	F64Min            Op = 0xa4
	F64Max            Op = 0xa5
	F64Copysign       Op = 0xa6
	I32WrapI64        Op = 0xa7
	I32TruncF64S      Op = 0xaa
	I32TruncF64U      Op = 0xab
	I64ExtendI32S     Op = 0xac
	I64ExtendI32U     Op = 0xad
	I64TruncF64S      Op = 0xb0
	I64TruncF64U      Op = 0xb1
	F64ConvertI32S    Op = 0xb7
	F64ConvertI32U    Op = 0xb8
	F64ConvertI64S    Op = 0xb9
	F64ConvertI64U    Op = 0xba
	I64ReinterpretF64 Op = 0xbd
	F64ReinterpretI64 Op = 0xbf
)

// An opInfo is the name of an instruction, its operands and result as in a [Sig], "?" if
// they depend on more than the code, and the bytes that a load or store moves.
type opInfo struct {
	name, sig string
	width     int
}

var ops = [256]opInfo{
	Unreachable:       {"unreachable", "?", 0},
	Nop:               {"nop", ">", 0},
	BlockOp:           {"block", "?", 0},
	Loop:              {"loop", "?", 0},
	If:                {"if", "?", 0},
	Else:              {"else", "?", 0},
	End:               {"end", "?", 0},
	Br:                {"br", "?", 0},
	BrIf:              {"br_if", "?", 0},
	BrTable:           {"br_table", "?", 0},
	Return:            {"return", "?", 0},
	CallOp:            {"call", "?", 0},
	CallIndirectOp:    {"call_indirect", "?", 0},
	Drop:              {"drop", "?", 0},
	Select:            {"select", "?", 0},
	LocalGet:          {"local.get", "?", 0},
	LocalSet:          {"local.set", "?", 0},
	LocalTee:          {"local.tee", "?", 0},
	GlobalGet:         {"global.get", "?", 0},
	GlobalSet:         {"global.set", "?", 0},
	I32Load:           {"i32.load", "i>i", 4},
	I64Load:           {"i64.load", "i>l", 8},
	F64Load:           {"f64.load", "i>d", 8},
	I32Load8S:         {"i32.load8_s", "i>i", 1},
	I32Load8U:         {"i32.load8_u", "i>i", 1},
	I32Load16S:        {"i32.load16_s", "i>i", 2},
	I32Load16U:        {"i32.load16_u", "i>i", 2},
	I64Load8S:         {"i64.load8_s", "i>l", 1},
	I64Load8U:         {"i64.load8_u", "i>l", 1},
	I64Load16S:        {"i64.load16_s", "i>l", 2},
	I64Load16U:        {"i64.load16_u", "i>l", 2},
	I64Load32S:        {"i64.load32_s", "i>l", 4},
	I64Load32U:        {"i64.load32_u", "i>l", 4},
	I32Store:          {"i32.store", "ii>", 4},
	I64Store:          {"i64.store", "il>", 8},
	F64Store:          {"f64.store", "id>", 8},
	I32Store8:         {"i32.store8", "ii>", 1},
	I32Store16:        {"i32.store16", "ii>", 2},
	I64Store8:         {"i64.store8", "il>", 1},
	I64Store16:        {"i64.store16", "il>", 2},
	I64Store32:        {"i64.store32", "il>", 4},
	MemorySize:        {"memory.size", ">i", 0},
	MemoryGrow:        {"memory.grow", "i>i", 0},
	I32Const:          {"i32.const", ">i", 0},
	I64Const:          {"i64.const", ">l", 0},
	F64Const:          {"f64.const", ">d", 0},
	I32Eqz:            {"i32.eqz", "i>i", 0},
	I32Eq:             {"i32.eq", "ii>i", 0},
	I32Ne:             {"i32.ne", "ii>i", 0},
	I32LtS:            {"i32.lt_s", "ii>i", 0},
	I32LtU:            {"i32.lt_u", "ii>i", 0},
	I32GtS:            {"i32.gt_s", "ii>i", 0},
	I32GtU:            {"i32.gt_u", "ii>i", 0},
	I32LeS:            {"i32.le_s", "ii>i", 0},
	I32LeU:            {"i32.le_u", "ii>i", 0},
	I32GeS:            {"i32.ge_s", "ii>i", 0},
	I32GeU:            {"i32.ge_u", "ii>i", 0},
	I64Eqz:            {"i64.eqz", "l>i", 0},
	I64Eq:             {"i64.eq", "ll>i", 0},
	I64Ne:             {"i64.ne", "ll>i", 0},
	I64LtS:            {"i64.lt_s", "ll>i", 0},
	I64LtU:            {"i64.lt_u", "ll>i", 0},
	I64GtS:            {"i64.gt_s", "ll>i", 0},
	I64GtU:            {"i64.gt_u", "ll>i", 0},
	I64LeS:            {"i64.le_s", "ll>i", 0},
	I64LeU:            {"i64.le_u", "ll>i", 0},
	I64GeS:            {"i64.ge_s", "ll>i", 0},
	I64GeU:            {"i64.ge_u", "ll>i", 0},
	F64Eq:             {"f64.eq", "dd>i", 0},
	F64Ne:             {"f64.ne", "dd>i", 0},
	F64Lt:             {"f64.lt", "dd>i", 0},
	F64Gt:             {"f64.gt", "dd>i", 0},
	F64Le:             {"f64.le", "dd>i", 0},
	F64Ge:             {"f64.ge", "dd>i", 0},
	I32Clz:            {"i32.clz", "i>i", 0},
	I32Ctz:            {"i32.ctz", "i>i", 0},
	I32Popcnt:         {"i32.popcnt", "i>i", 0},
	I32Add:            {"i32.add", "ii>i", 0},
	I32Sub:            {"i32.sub", "ii>i", 0},
	I32Mul:            {"i32.mul", "ii>i", 0},
	I32DivS:           {"i32.div_s", "ii>i", 0},
	I32DivU:           {"i32.div_u", "ii>i", 0},
	I32RemS:           {"i32.rem_s", "ii>i", 0},
	I32RemU:           {"i32.rem_u", "ii>i", 0},
	I32And:            {"i32.and", "ii>i", 0},
	I32Or:             {"i32.or", "ii>i", 0},
	I32Xor:            {"i32.xor", "ii>i", 0},
	I32Shl:            {"i32.shl", "ii>i", 0},
	I32ShrS:           {"i32.shr_s", "ii>i", 0},
	I32ShrU:           {"i32.shr_u", "ii>i", 0},
	I32Rotl:           {"i32.rotl", "ii>i", 0},
	I32Rotr:           {"i32.rotr", "ii>i", 0},
	I64Clz:            {"i64.clz", "l>l", 0},
	I64Ctz:            {"i64.ctz", "l>l", 0},
	I64Popcnt:         {"i64.popcnt", "l>l", 0},
	I64Add:            {"i64.add", "ll>l", 0},
	I64Sub:            {"i64.sub", "ll>l", 0},
	I64Mul:            {"i64.mul", "ll>l", 0},
	I64DivS:           {"i64.div_s", "ll>l", 0},
	I64DivU:           {"i64.div_u", "ll>l", 0},
	I64RemS:           {"i64.rem_s", "ll>l", 0},
	I64RemU:           {"i64.rem_u", "ll>l", 0},
	I64And:            {"i64.and", "ll>l", 0},
	I64Or:             {"i64.or", "ll>l", 0},
	I64Xor:            {"i64.xor", "ll>l", 0},
	I64Shl:            {"i64.shl", "ll>l", 0},
	I64ShrS:           {"i64.shr_s", "ll>l", 0},
	I64ShrU:           {"i64.shr_u", "ll>l", 0},
	I64Rotl:           {"i64.rotl", "ll>l", 0},
	I64Rotr:           {"i64.rotr", "ll>l", 0},
	F64Abs:            {"f64.abs", "d>d", 0},
	F64Neg:            {"f64.neg", "d>d", 0},
	F64Ceil:           {"f64.ceil", "d>d", 0},
	F64Floor:          {"f64.floor", "d>d", 0},
	F64Trunc:          {"f64.trunc", "d>d", 0},
	F64Nearest:        {"f64.nearest", "d>d", 0},
	F64Sqrt:           {"f64.sqrt", "d>d", 0},
	F64Add:            {"f64.add", "dd>d", 0},
	F64Sub:            {"f64.sub", "dd>d", 0},
	F64Mul:            {"f64.mul", "dd>d", 0},
	F64Div:            {"f64.div", "dd>d", 0},
	F64Min:            {"f64.min", "dd>d", 0},
	F64Max:            {"f64.max", "dd>d", 0},
	F64Copysign:       {"f64.copysign", "dd>d", 0},
	I32WrapI64:        {"i32.wrap_i64", "l>i", 0},
	I32TruncF64S:      {"i32.trunc_f64_s", "d>i", 0},
	I32TruncF64U:      {"i32.trunc_f64_u", "d>i", 0},
	I64ExtendI32S:     {"i64.extend_i32_s", "i>l", 0},
	I64ExtendI32U:     {"i64.extend_i32_u", "i>l", 0},
	I64TruncF64S:      {"i64.trunc_f64_s", "d>l", 0},
	I64TruncF64U:      {"i64.trunc_f64_u", "d>l", 0},
	F64ConvertI32S:    {"f64.convert_i32_s", "i>d", 0},
	F64ConvertI32U:    {"f64.convert_i32_u", "i>d", 0},
	F64ConvertI64S:    {"f64.convert_i64_s", "l>d", 0},
	F64ConvertI64U:    {"f64.convert_i64_u", "l>d", 0},
	I64ReinterpretF64: {"i64.reinterpret_f64", "d>l", 0},
	F64ReinterpretI64: {"f64.reinterpret_i64", "l>d", 0},
}

// codes are the instructions by name.
var codes = func() map[string]Op {
	m := map[string]Op{}
	for i, op := range ops {
		if op.name != "" {
			m[op.name] = Op(i)
		}
	}
	return m
}()

// String is the name in the text format.
func (op Op) String() string {
	if name := ops[op].name; name != "" {
		return name
	}
	return "unknown"
}

// Width is how many bytes a load or store moves, and 0 for other instructions.
func (op Op) Width() int { return ops[op].width }
