package detect

import (
	"unsafe"

	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
)

// A Host carries out the functions that classification rules and the checks of
// detectors may call. It serves one goroutine at a time; the zero Host is ready
// to use.
type Host struct {
	// Find answers is(detector), with whole set, and finds(detector). Without it
	// both are an error.
	Find func(text, detector string, whole bool) (bool, expr.Code)

	buf []byte // texts made during an evaluation
}

// Reset forgets the texts made for earlier evaluations. Values that came from
// them must not be used any more.
func (h *Host) Reset() { h.buf = h.buf[:0] }

// Digits is the ASCII digits of s; it lives until the next [Host.Reset].
func (h *Host) Digits(s string) string {
	if s == "" || allDigits(s) {
		return s
	}
	start := len(h.buf)
	for i := range len(s) {
		if digit(s[i]) {
			h.buf = append(h.buf, s[i])
		}
	}
	if len(h.buf) == start {
		return ""
	}
	// What was appended stays as it is until Reset: appending goes behind it, and a
	// buffer that grows leaves the old one alone.
	return unsafe.String(&h.buf[start], len(h.buf)-start)
}

// Call implements [expr.Host].
func (h *Host) Call(fn uint16, args []expr.Value) (expr.Value, expr.Code) {
	if len(args) == 0 || len(args) > 3 {
		return expr.Value{}, expr.BadArgument
	}
	s := args[0].AsString()
	if len(args) == 1 {
		return h.check(fn, s)
	}
	if len(args) == 3 {
		if fn != profile.FnTsum {
			return expr.Value{}, expr.BadArgument
		}
		return tsum(s, args[1], args[2])
	}
	switch fn {
	case profile.FnAlone:
		return expr.Bool(Alone(s, args[1].AsString())), expr.OK
	case profile.FnPhone:
		return expr.Bool(Phone(s, args[1].AsString())), expr.OK
	case profile.FnXsum:
		if args[1].Len() != len(s) || !allDigits(s) {
			break
		}
		sum := int64(0)
		for i := range len(s) {
			w := args[1].At(i).AsInt()
			if w < 0 || w > 1<<32 {
				return expr.Value{}, expr.Overflow
			}
			for n := w * int64(s[i]-'0'); n > 0; n /= 10 {
				sum += n % 10
			}
		}
		return expr.Int(sum), expr.OK
	case profile.FnHasAll, profile.FnHasAny:
		return expr.Bool(has(args[0], args[1], fn == profile.FnHasAll)), expr.OK
	case profile.FnIs, profile.FnFinds:
		if h.Find != nil {
			ok, code := h.Find(s, args[1].AsString(), fn == profile.FnIs)
			return expr.Bool(ok), code
		}
	case profile.FnWsum:
		if args[1].Len() != len(s) || s != "" && !allDigits(s) {
			break
		}
		sum := int64(0)
		for i := range len(s) {
			w := args[1].At(i).AsInt()
			if w > 1<<32 || w < -1<<32 {
				return expr.Value{}, expr.Overflow
			}
			sum += w * int64(s[i]-'0')
		}
		return expr.Int(sum), expr.OK
	case profile.FnRem:
		n := args[1].AsInt()
		if !allDigits(s) || n <= 0 || n > 1<<32 {
			break
		}
		rest := int64(0)
		for i := range len(s) {
			rest = (rest*10 + int64(s[i]-'0')) % n
		}
		return expr.Int(rest), expr.OK
	}
	return expr.Value{}, expr.BadArgument
}

// tsum is the sum of what a table says of each character, times its weight.
func tsum(s string, table, weights expr.Value) (expr.Value, expr.Code) {
	if table.Len() != 36 || weights.Len() != len(s) {
		return expr.Value{}, expr.BadArgument
	}
	sum := int64(0)
	for i := range len(s) {
		v := value36(s[i])
		if v < 0 {
			return expr.Value{}, expr.BadArgument
		}
		t, w := table.At(v).AsInt(), weights.At(i).AsInt()
		if t > 1<<24 || t < -1<<24 || w > 1<<24 || w < -1<<24 {
			return expr.Value{}, expr.Overflow
		}
		sum += t * w
	}
	return expr.Int(sum), expr.OK
}

// spell writes letters as two digits, A as first, and leaves out what is neither
// letter nor digit; it lives until the next [Host.Reset].
func (h *Host) spell(s string, first int) string {
	start := len(h.buf)
	for i := range len(s) {
		switch v := value36(s[i]); {
		case v < 0:
		case v < 10:
			h.buf = append(h.buf, s[i])
		default:
			v += first - 10
			h.buf = append(h.buf, byte('0'+v/10), byte('0'+v%10))
		}
	}
	if len(h.buf) == start {
		return ""
	}
	return unsafe.String(&h.buf[start], len(h.buf)-start)
}

func (h *Host) check(fn uint16, s string) (expr.Value, expr.Code) {
	var ok bool
	switch fn {
	case profile.FnLuhn:
		ok = Luhn(s)
	case profile.FnIBAN:
		ok = IBAN(s)
	case profile.FnMod97:
		ok = Mod97(s)
	case profile.FnMod11:
		ok = Mod11(s)
	case profile.FnMod1110:
		ok = Mod1110(s)
	case profile.FnVerhoeff:
		ok = Verhoeff(s)
	case profile.FnDamm:
		ok = Damm(s)
	case profile.FnISIN:
		ok = ISIN(s)
	case profile.FnICAO:
		ok = ICAO(s)
	case profile.FnBase58Check:
		ok = Base58Check(s)
	case profile.FnBech32:
		ok = Bech32(s)
	case profile.FnIP:
		ok = IP(s)
	case profile.FnCIDR:
		ok = CIDR(s)
	case profile.FnDomain:
		ok = Domain(s)
	case profile.FnUUID:
		ok = UUID(s)
	case profile.FnULID:
		ok = ULID(s)
	case profile.FnYMD:
		ok = YMD(s)
	case profile.FnMod37:
		ok = Mod37(s)
	case profile.FnMod3736:
		ok = Mod3736(s)
	case profile.FnMod2726:
		ok = Mod2726(s)
	case profile.FnMod661:
		ok = Mod661(s)
	case profile.FnMod1271:
		ok = Mod1271(s)
	case profile.FnCRC62:
		ok = CRC62(s)
	case profile.FnCRCHex:
		ok = CRCHex(s)
	case profile.FnYYMMDD:
		ok = YYMMDD(s)
	case profile.FnRegistered:
		ok = Registered(s)
	case profile.FnEmail:
		ok = Email(s)
	case profile.FnEIP55:
		ok = EIP55(s)
	case profile.FnOrdinals:
		return expr.String(h.spell(s, 1)), expr.OK
	case profile.FnNumeric:
		return expr.String(h.spell(s, 10)), expr.OK
	case profile.FnEntropy:
		return expr.Double(Entropy(s)), expr.OK
	case profile.FnDigits:
		return expr.String(h.Digits(s)), expr.OK
	case profile.FnValue36:
		// Capital letters only: a rule that means both says upperAscii.
		if len(s) == 1 && (s[0] < 'a' || s[0] > 'z') && value36(s[0]) >= 0 {
			return expr.Int(int64(value36(s[0]))), expr.OK
		}
		return expr.Value{}, expr.BadArgument
	default:
		return expr.Value{}, expr.BadArgument
	}
	return expr.Bool(ok), expr.OK
}

// has reports whether all or any of the wanted texts are in a list.
func has(list, wanted expr.Value, all bool) bool {
	// Most wanted texts are not there: length and first byte tell without comparing.
	var hints uint64
	n := list.Len()
	for j := range n {
		hints |= hint(list.At(j).AsString())
	}
	for i := range wanted.Len() {
		w, found := wanted.At(i).AsString(), false
		if hints&hint(w) != 0 {
			for j := 0; j < n && !found; j++ {
				found = list.At(j).AsString() == w
			}
		}
		if found != all {
			return found
		}
	}
	return all
}

func hint(s string) uint64 {
	if s == "" {
		return 1
	}
	return 1 << ((uint(s[0])*5 + uint(len(s))) & 63)
}
