package expr

// An Op names an operation. Its number is part of the wire form and never
// changes; a new operation needs a new profile version.
type Op uint8

// The operations. Operands are nodes unless the comment says otherwise; the type
// of an operand picks among what CEL calls overloads.
const (
	OpInvalid Op = iota

	OpConst // A: index in Consts
	OpVar   // A: slot in Frame.Vars
	OpLocal // A: nesting level of the loop whose variable it is, from 0
	OpList  // Args[A:A+B]; C: 1 + index in Consts if all elements are constant
	OpMap   // Args[A:A+B]: key, value, key, value, …; C as for OpList

	OpAnd  // A && B, absorbing errors
	OpOr   // A || B, absorbing errors
	OpNot  // !A
	OpCond // A ? B : C

	OpEq // A == B
	OpNe // A != B
	OpLt // A < B
	OpLe // A <= B
	OpGt // A > B
	OpGe // A >= B
	OpIn // A in B, a list or map

	OpAdd // A + B: numbers, durations, instants; joins strings, bytes and lists
	OpSub // A - B
	OpMul // A * B
	OpDiv // A / B
	OpMod // A % B
	OpNeg // -A

	OpIndex  // A[B]: list and int, map and string
	OpSelect // A.k; B: index of k in Consts
	OpHas    // has(A.k); B: index of k in Consts

	OpSize       // size(A): characters, bytes, elements, entries
	OpContains   // A.contains(B)
	OpStartsWith // A.startsWith(B)
	OpEndsWith   // A.endsWith(B)
	OpMatches    // A.matches(p); B: index of p in Patterns
	OpLower      // A.lowerAscii()
	OpUpper      // A.upperAscii()
	OpTrim       // A.trim()
	OpSplit      // A.split(B)
	OpSplitN     // A.split(B, C)
	OpReplace    // A.replace(B, C)
	OpReplaceN   // A.replace(B, C, D)
	OpFrom       // A.substring(B)
	OpSubstring  // A.substring(B, C)

	OpToBool      // bool(A)
	OpToInt       // int(A)
	OpToUint      // uint(A)
	OpToDouble    // double(A)
	OpToString    // string(A)
	OpToBytes     // bytes(A)
	OpToTimestamp // timestamp(A)
	OpToDuration  // duration(A)

	OpAll       // A.all(x, B); C: nesting level of x
	OpExists    // A.exists(x, B); C: level
	OpExistsOne // A.exists_one(x, B); C: level
	OpFilter    // A.filter(x, B); C: level
	OpTransform // A.map(x, B); C: level
	OpSift      // A.map(x, B, D): those for which B holds; C: level

	OpCall // function A of the environment with Args[B:B+C]; D: its cost

	ops // how many there are
)

// form says what follows an operation on the wire.
type form uint8

const (
	formNone  form = iota
	formNodes      // arity operands
	formKey        // one operand, then a constant string
	formRegex      // one operand, then a pattern
	formLoop       // range, then arity-1 bodies under a new local
	formOther      // see the encoder
)

var opInfo = [ops]struct {
	name  string
	form  form
	arity uint8
}{
	OpConst: {"const", formOther, 0}, OpVar: {"var", formOther, 0}, OpLocal: {"local", formOther, 0},
	OpList: {"list", formOther, 0}, OpMap: {"map", formOther, 0}, OpCall: {"call", formOther, 0},
	OpAnd: {"&&", formNodes, 2}, OpOr: {"||", formNodes, 2}, OpNot: {"!", formNodes, 1}, OpCond: {"?:", formNodes, 3},
	OpEq: {"==", formNodes, 2}, OpNe: {"!=", formNodes, 2}, OpLt: {"<", formNodes, 2}, OpLe: {"<=", formNodes, 2},
	OpGt: {">", formNodes, 2}, OpGe: {">=", formNodes, 2}, OpIn: {"in", formNodes, 2},
	OpAdd: {"+", formNodes, 2}, OpSub: {"-", formNodes, 2}, OpMul: {"*", formNodes, 2}, OpDiv: {"/", formNodes, 2},
	OpMod: {"%", formNodes, 2}, OpNeg: {"negate", formNodes, 1},
	OpIndex: {"index", formNodes, 2}, OpSelect: {"select", formKey, 1}, OpHas: {"has", formKey, 1},
	OpSize: {"size", formNodes, 1}, OpContains: {"contains", formNodes, 2}, OpStartsWith: {"startsWith", formNodes, 2},
	OpEndsWith: {"endsWith", formNodes, 2}, OpMatches: {"matches", formRegex, 1},
	OpLower: {"lowerAscii", formNodes, 1}, OpUpper: {"upperAscii", formNodes, 1}, OpTrim: {"trim", formNodes, 1},
	OpSplit: {"split", formNodes, 2}, OpSplitN: {"split/2", formNodes, 3}, OpReplace: {"replace", formNodes, 3}, OpReplaceN: {"replace/3", formNodes, 4},
	OpFrom: {"substring", formNodes, 2}, OpSubstring: {"substring/2", formNodes, 3},
	OpToBool: {"bool", formNodes, 1}, OpToInt: {"int", formNodes, 1}, OpToUint: {"uint", formNodes, 1}, OpToDouble: {"double", formNodes, 1},
	OpToString: {"string", formNodes, 1}, OpToBytes: {"bytes", formNodes, 1}, OpToTimestamp: {"timestamp", formNodes, 1}, OpToDuration: {"duration", formNodes, 1},
	OpAll: {"all", formLoop, 2}, OpExists: {"exists", formLoop, 2}, OpExistsOne: {"exists_one", formLoop, 2},
	OpFilter: {"filter", formLoop, 2}, OpTransform: {"map/2", formLoop, 2}, OpSift: {"map/3", formLoop, 3},
}

// String is a short name of the operation: the operator or function of CEL.
func (op Op) String() string {
	if op < ops && op != OpInvalid {
		return opInfo[op].name
	}
	return "invalid"
}

// Ops is the number of operations, for tables over all of them.
const Ops = int(ops)

// kindSet is a set of kinds.
type kindSet uint16

func set(ks ...Kind) (s kindSet) {
	for _, k := range ks {
		s |= 1 << k
	}
	return s
}

func (s kindSet) has(t Type) bool { return s>>t.Kind()&1 != 0 }

var (
	numeric = set(KindInt, KindUint, KindDouble)
	ordered = set(KindBool, KindInt, KindUint, KindDouble, KindString, KindBytes, KindTimestamp, KindDuration)

	toBool      = set(KindBool, KindString)
	toInt       = set(KindInt, KindUint, KindDouble, KindString, KindTimestamp, KindDuration)
	toUint      = set(KindUint, KindInt, KindDouble, KindString)
	toDouble    = set(KindDouble, KindInt, KindUint, KindString)
	toString    = set(KindString, KindBool, KindInt, KindUint, KindDouble, KindBytes, KindTimestamp, KindDuration)
	toBytes     = set(KindBytes, KindString)
	toTimestamp = set(KindTimestamp, KindInt, KindString)
	toDuration  = set(KindDuration, KindString)
)

// infer is the type of op over operands of types t[0:arity], or false if CEL has
// no such overload. It covers the forms formNodes, formKey and formRegex.
func infer(op Op, t [4]Type) (Type, bool) {
	same := t[0] == t[1]
	text := t[0] == TString
	switch op {
	case OpAnd, OpOr:
		return TBool, same && t[0] == TBool
	case OpNot:
		return TBool, t[0] == TBool
	case OpCond:
		u, ok := unify(t[1], t[2])
		return u, ok && t[0] == TBool
	case OpEq, OpNe:
		_, ok := unify(t[0], t[1])
		return TBool, ok
	case OpLt, OpLe, OpGt, OpGe:
		return TBool, same && ordered.has(t[0])
	case OpIn:
		switch t[1].Kind() {
		case KindList:
			_, ok := unify(t[0], t[1].Elem())
			return TBool, ok
		case KindMap:
			return TBool, text
		}
	case OpAdd:
		if t[0].Kind() == KindList {
			return unify(t[0], t[1])
		}
		if same {
			return t[0], numeric.has(t[0]) || text || t[0] == TBytes || t[0] == TDuration
		}
		return TTimestamp, t[0] == TTimestamp && t[1] == TDuration || t[0] == TDuration && t[1] == TTimestamp
	case OpSub:
		switch {
		case same && t[0] == TTimestamp:
			return TDuration, true
		case same:
			return t[0], numeric.has(t[0]) || t[0] == TDuration
		}
		return TTimestamp, t[0] == TTimestamp && t[1] == TDuration
	case OpMul, OpDiv:
		return t[0], same && numeric.has(t[0])
	case OpMod:
		return t[0], same && (t[0] == TInt || t[0] == TUint)
	case OpNeg:
		return t[0], t[0] == TInt || t[0] == TDouble
	case OpIndex:
		return t[0].Elem(), t[0].Elem() != 0 && (t[0].Kind() == KindList && t[1] == TInt || t[0].Kind() == KindMap && t[1] == TString)
	case OpSelect:
		return t[0].Elem(), t[0].Kind() == KindMap && t[0].Elem() != 0
	case OpHas:
		return TBool, t[0].Kind() == KindMap
	case OpSize:
		return TInt, text || t[0] == TBytes || t[0].Kind() == KindList || t[0].Kind() == KindMap
	case OpContains, OpStartsWith, OpEndsWith:
		return TBool, same && text
	case OpMatches:
		return TBool, text
	case OpLower, OpUpper, OpTrim:
		return TString, text
	case OpSplit:
		return ListOf(TString), same && text
	case OpSplitN:
		return ListOf(TString), same && text && t[2] == TInt
	case OpReplace:
		return TString, same && text && t[2] == TString
	case OpReplaceN:
		return TString, same && text && t[2] == TString && t[3] == TInt
	case OpFrom:
		return TString, text && t[1] == TInt
	case OpSubstring:
		return TString, text && t[1] == TInt && t[2] == TInt
	case OpToBool:
		return TBool, toBool.has(t[0])
	case OpToInt:
		return TInt, toInt.has(t[0])
	case OpToUint:
		return TUint, toUint.has(t[0])
	case OpToDouble:
		return TDouble, toDouble.has(t[0])
	case OpToString:
		return TString, toString.has(t[0])
	case OpToBytes:
		return TBytes, toBytes.has(t[0])
	case OpToTimestamp:
		return TTimestamp, toTimestamp.has(t[0])
	case OpToDuration:
		return TDuration, toDuration.has(t[0])
	}
	return 0, false
}
