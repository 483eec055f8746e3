package bundle

import (
	"crypto/sha256"
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
)

// full fills every field of a structure with distinct values, so that a field that
// the wire form forgets shows up as a difference.
func full(t testing.TB, v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString("s" + string(rune('a'+*n%26)) + string(rune('a'+*n/26%26)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8, reflect.Uint16, reflect.Uint64:
		v.SetUint(uint64(*n%200 + 1))
	case reflect.Int16:
		v.SetInt(int64(*n%400) - 200)
	case reflect.Int64:
		v.SetInt(int64(*n)*1_000_003 - 500_000_000)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			full(t, v.Index(i), n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Field(i)
			if f.Type() != reflect.TypeFor[*expr.Program]() {
				full(t, f, n)
				continue
			}
			switch name := v.Type().Name(); {
			case name == "Rule":
				f.Set(reflect.ValueOf(program(t, profile.Field, expr.Bool(true))))
			case name == "Detector" || name == "Suppress" || name == "Adjust":
				f.Set(reflect.ValueOf(program(t, profile.Match, expr.Bool(true))))
			case name == "Residency":
				f.Set(reflect.ValueOf(program(t, profile.Policy, expr.String("EU"))))
			default:
				f.Set(reflect.ValueOf(program(t, profile.Policy, expr.Bool(false))))
			}
		}
	default:
		t.Fatalf("no filling for %s", v.Kind())
	}
}

func program(t testing.TB, env *expr.Env, v expr.Value) *expr.Program {
	t.Helper()
	w := expr.NewWriter(env, "x")
	w.Const(v)
	p, err := w.Program()
	require.NoError(t, err)
	return p
}

func sample(t testing.TB) []byte {
	t.Helper()
	var b Bundle
	n := 0
	full(t, reflect.ValueOf(&b).Elem(), &n)
	require.Greater(t, n, 150, "every field is filled")
	data, err := b.Encode()
	require.NoError(t, err)
	got, err := Decode(data)
	require.NoError(t, err)
	require.Equal(t, &b, got, "the wire form keeps every field")
	return data
}

func TestRoundTrip(t *testing.T) {
	data := sample(t)
	b, err := Decode(data)
	require.NoError(t, err)
	again, err := b.Encode()
	require.NoError(t, err)
	require.Equal(t, data, again, "the same policy, the same bytes")
	assert.Len(t, Fingerprint(data), 64)
	assert.Empty(t, Fingerprint(nil))

	empty, err := new(Bundle).Encode()
	require.NoError(t, err)
	got, err := Decode(empty)
	require.NoError(t, err)
	require.Equal(t, new(Bundle), got)
}

// seal gives changed bytes a right length and checksum again.
func seal(data []byte) []byte {
	body := data[:len(data)-sha256.Size]
	binary.BigEndian.PutUint32(body[12:], uint32(len(body)-header))
	sum := sha256.Sum256(body)
	return append(append([]byte(nil), body...), sum[:]...)
}

func TestRefusals(t *testing.T) {
	data := sample(t)
	with := func(at int, v byte) []byte {
		c := append([]byte(nil), data...)
		c[at] = v
		return c
	}
	for _, tt := range []struct {
		name   string
		data   []byte
		want   error
		reason string
	}{
		{"nothing", nil, ErrNotBundle, "not even a beginning"},
		{"text", []byte("privet: 1\n"), ErrNotBundle, "a policy is not a bundle yet"},
		{"half the magic", data[:4], ErrTruncated, "begins like one"},
		{"no length", data[:header-1], ErrTruncated, "cut in the head"},
		{"no body", data[:header], ErrTruncated, "cut after the head"},
		{"last byte", data[:len(data)-1], ErrTruncated, "cut in the checksum"},
		{"a byte more", append(append([]byte(nil), data...), 0), ErrCorrupt, "something was added"},
		{"newer format", with(9, newest+1), ErrNewer, "what it means is not known here"},
		{"newer profile", with(11, 99), ErrNewer, "its expressions may need what is not here"},
		{"format of an envelope", with(9, 2), ErrTruncated, "there is no room for a signature"},
		{"format of an envelope, sealed", seal(with(9, 2)), ErrTruncated, "likewise"},
		{"older format", seal(with(9, 0)), ErrCorrupt, "no version has written a format 0"},
		{"lower format than it needs", seal(with(9, Format)), ErrCorrupt, "a reader of that time would not know the last section"},
		{"flipped", with(header+7, data[header+7]^1), ErrCorrupt, "the checksum shows it"},
		{"flipped checksum", with(len(data)-1, data[len(data)-1]^1), ErrCorrupt, "the checksum itself"},
		{"sealed nonsense", seal(with(header, 0xff)), ErrCorrupt, "a right checksum over a wrong body"},
		{"huge", make([]byte, maxBundle+1), ErrNotBundle, "what it is comes first"},
		{"huge bundle", append(append([]byte(nil), data...), make([]byte, maxBundle)...), ErrTooLarge, "bounded"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode(tt.data)
			require.ErrorIs(t, err, tt.want, tt.reason)
		})
	}
	for i := range data {
		_, err := Decode(data[:i])
		require.Error(t, err, "cut at byte %d", i)
	}
}

// A list that claims more than there is costs nothing.
func TestHostileCounts(t *testing.T) {
	body := []byte{0, 0, 0, 0xff, 0xff, 0xff, 0x7f}
	data := append(append([]byte(magic), 0, Format, 0, profile.Version, 0, 0, 0, 0), body...)
	_, err := Decode(seal(append(data, make([]byte, sha256.Size)...)))
	require.ErrorIs(t, err, ErrCorrupt)
}

// FuzzDecode: no bytes make the reader fail, also ones with a right checksum, and
// what is accepted is written back as it was.
func FuzzDecode(f *testing.F) {
	data := sample(f)
	f.Add(data, uint8(newest))
	f.Add(data[header:len(data)-sha256.Size], uint8(FormatTerms))
	older, _ := withoutLater(f).Encode()
	f.Add(older[header:len(older)-sha256.Size], uint8(Format))
	terms, _ := termsOnly().Encode()
	f.Add(terms[header:len(terms)-sha256.Size], uint8(FormatTerms))
	terms, _ = consentOnly().Encode()
	f.Add(terms[header:len(terms)-sha256.Size], uint8(FormatConsent))
	f.Add([]byte{}, uint8(0))
	f.Fuzz(func(t *testing.T, body []byte, format uint8) {
		if _, err := Decode(body); err == nil && len(body) == 0 {
			t.Fatal("nothing was accepted")
		}
		if format %= newest + 1; format == FormatSigned {
			format = Format // FuzzSplit has the envelopes
		}
		data := append(append([]byte(magic), 0, format, 0, profile.Version, 0, 0, 0, 0), body...)
		data = seal(append(data, make([]byte, sha256.Size)...))
		b, err := Decode(data)
		if err != nil {
			require.ErrorIs(t, err, ErrCorrupt)
			return
		}
		again, err := b.Encode()
		require.NoError(t, err)
		require.Equal(t, data, again, "one policy has one spelling")
	})
}

func BenchmarkDecode(b *testing.B) {
	data := sample(b)
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := Decode(data); err != nil {
			b.Fatal(err)
		}
	}
}
