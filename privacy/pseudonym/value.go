package pseudonym

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
)

// MaxValue is the largest canonical form of a value, in bytes.
const MaxValue = 4096

// Type says how a value is made canonical. It is hashed with the value, so the
// numbers never change; 0x40 and above belong to applications.
type Type byte

const (
	TypeBytes     Type = 0x01
	TypeText      Type = 0x02
	TypeEmail     Type = 0x03
	TypeEmailUID2 Type = 0x04
	TypePhone     Type = 0x05
	TypeUUID      Type = 0x06
	TypeInt       Type = 0x07
	TypeIP        Type = 0x08
	TypeIPPrefix  Type = 0x09
	TypeDate      Type = 0x0A
	TypeComposite Type = 0x0B
)

// String returns the name in lower case, or "value" for a type without a name.
func (t Type) String() string {
	switch t {
	case TypeBytes:
		return "bytes"
	case TypeText:
		return "text"
	case TypeEmail:
		return "email"
	case TypeEmailUID2:
		return "email-uid2"
	case TypePhone:
		return "phone"
	case TypeUUID:
		return "uuid"
	case TypeInt:
		return "int"
	case TypeIP:
		return "ip"
	case TypeIPPrefix:
		return "ip-prefix"
	case TypeDate:
		return "date"
	case TypeComposite:
		return "composite"
	}
	return "value"
}

// A Value is a typed identifier, not yet canonical: constructors never fail and,
// except for [Composite], never allocate. What is wrong with a value is reported
// when it is used.
//
// The zero Value is refused. A Value prints as a placeholder instead of its
// content. That is a safety net with holes, unlike [Secret]'s: fmt reads through
// unexported fields of other structs and asks nobody for %p and %w. Do not keep a
// Value in a struct that gets logged.
type Value struct {
	typ    Type
	code   Code // fault found when the value was made
	bits   uint8
	hi, lo uint64
	text   string
	data   []byte
}

// Bytes is a binary identifier, taken as it is. The slice is not copied; it must
// not change while the value is in use.
func Bytes(b []byte) Value { return Value{typ: TypeBytes, data: b} }

// Text is an identifier in valid UTF-8, taken as it is: neither trimmed nor
// folded nor normalised. Use it for user names, device names and identifiers
// with a spelling of their own.
func Text(s string) Value { return Value{typ: TypeText, text: s} }

// Email is an e-mail address. Spaces, tabs, CR and LF around it are dropped and
// A to Z become a to z; every other character stays as it is, so that the result
// depends on no Unicode version. It needs exactly one @ with text on both sides
// and no white space, control characters or angle brackets inside, which keeps
// out "Jane <jane@example.com>".
func Email(s string) Value { return Value{typ: TypeEmail, text: s} }

// EmailUID2 is an e-mail address as Unified ID 2.0 normalises it: like [Email],
// and at gmail.com dots and everything from the first + on are dropped from the
// part before the @. It has its own type: its tokens do not join with those of
// Email. The rules are those of
// https://unifiedid.com/docs/getting-started/gs-normalization-encoding.
func EmailUID2(s string) Value { return Value{typ: TypeEmailUID2, text: s} }

// Phone is a telephone number in international form (E.164): + and 8 to 15
// digits, nothing else. National forms are refused, because only the caller
// knows the country.
func Phone(s string) Value { return Value{typ: TypePhone, text: s} }

// UUID is a UUID in its 16 bytes, whatever its version.
func UUID(u [16]byte) Value {
	return Value{typ: TypeUUID, hi: binary.BigEndian.Uint64(u[:8]), lo: binary.BigEndian.Uint64(u[8:])}
}

// Int is a whole number.
func Int(n int64) Value { return Value{typ: TypeInt, lo: uint64(n)} }

// IP is an address without a zone. An IPv4 address and its IPv4-mapped IPv6 form
// are the same value.
func IP(a netip.Addr) Value {
	v := Value{typ: TypeIP}
	if !a.IsValid() || a.Zone() != "" {
		v.code = CodeNotInForm
		return v
	}
	v.hi, v.lo = addrBits(a)
	return v
}

// IPPrefix is a network. Bits beyond the length are dropped. An IPv4 network and
// its IPv4-mapped IPv6 form (10.0.0.0/8 and ::ffff:10.0.0.0/104) are the same
// value.
func IPPrefix(p netip.Prefix) Value {
	v := Value{typ: TypeIPPrefix}
	if !p.IsValid() {
		v.code = CodeNotInForm
		return v
	}
	bits := p.Bits()
	if p.Addr().Is4() {
		bits += 96
	}
	v.bits = uint8(bits)
	hi, lo := addrBits(p.Addr())
	v.hi, v.lo = mask(hi, lo, bits)
	return v
}

// Date is a day of the proleptic Gregorian calendar, written YYYY-MM-DD. There is
// no time of day and therefore no time zone in it.
func Date(s string) Value { return Value{typ: TypeDate, text: s} }

// Composite is one value made of 1 to 255 parts in their order, for identifiers
// that are unique only together (a number and the country that issued it). The
// parts are made canonical at once, which allocates.
func Composite(parts ...Value) Value {
	v := Value{typ: TypeComposite}
	if len(parts) == 0 || len(parts) > 255 {
		v.code = CodeNotInForm
		return v
	}
	buf := append(make([]byte, 0, 1+len(parts)*48), byte(len(parts)))
	for i := range parts {
		at := len(buf)
		buf = append(buf, 0, 0, 0, 0, byte(parts[i].typ))
		buf, v.code = parts[i].appendCanonical(buf)
		if v.code == 0 && len(buf) > MaxValue {
			v.code = CodeTooLong
		}
		if v.code != 0 {
			return v
		}
		binary.BigEndian.PutUint32(buf[at:], uint32(len(buf)-at-4))
	}
	v.data = buf
	return v
}

// Type returns the type that the value was made with, 0 for the zero Value.
func (v Value) Type() Type { return v.typ }

const hiddenValue = "pseudonym.Value(REDACTED)"

// Format implements fmt.Formatter with a placeholder.
func (v Value) Format(s fmt.State, _ rune) { io.WriteString(s, hiddenValue) }

// MarshalText implements encoding.TextMarshaler with the same placeholder, for
// encoding/json and log/slog.
func (v Value) MarshalText() ([]byte, error) { return []byte(hiddenValue), nil }
