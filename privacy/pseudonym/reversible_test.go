package pseudonym

import (
	"context"
	"crypto/aes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/internal/conform/leak"
)

// refKey derives a key as the documentation has it, on the HMAC of the reference.
func refKey(secret []byte, info string, size int) (key []byte) {
	prk := refHMAC(make([]byte, 32), secret)
	var block []byte
	for i := byte(1); len(key) < size; i++ {
		block = refHMAC(prk, append(append(slices.Clone(block), info...), i))
		key = append(key, block...)
	}
	return key[:size]
}

func refInfo(label string, s Scope, version uint32) string {
	return label + "\x00" + refLP(s.Tenant) + refLP(s.Purpose) + refLP(s.Category) + string(binary.BigEndian.AppendUint32(nil, version))
}

func TestReversibleAgreesWithReference(t *testing.T) {
	pattern := regexp.MustCompile(SealedPattern)
	rapid.Check(t, func(t *rapid.T) {
		secret, scope := drawSecret(t), drawScope(t)
		version := rapid.Uint32Min(1).Draw(t, "version")
		s, err := NewSecret(secret)
		require.NoError(t, err)
		var store Memory
		require.NoError(t, store.Add(scope.Tenant, version, s))
		r, err := NewReversible(context.Background(), &store, scope)
		require.NoError(t, err)
		require.Equal(t, version, r.Version())

		f := drawForm(t)
		got, class, err := r.Seal(f.value)
		if !f.ok {
			var refused *ValueError
			require.ErrorAs(t, err, &refused)
			require.Empty(t, got)
			require.Zero(t, class)
		} else {
			require.NoError(t, err)
			info := refInfo("privacy/pseudonym/v1/siv", scope, version)
			sealed := refSIV(refKey(secret, info, 64), [][]byte{[]byte(info)}, append([]byte{f.typ}, f.canonical...))
			require.Equal(t, "v1_"+strconv.FormatUint(uint64(version), 36)+"_"+strings.ToLower(strings.TrimRight(base32.StdEncoding.EncodeToString(sealed), "=")), got)
			require.Equal(t, Class{Linkability: Linkable, Reversible: true, Loss: LossNone}, class)
			require.Regexp(t, pattern, got)
			require.NotRegexp(t, TokenPattern, got)
			typ, canonical, err := r.Reveal(got)
			require.NoError(t, err)
			require.Equal(t, Type(f.typ), typ)
			require.Equal(t, f.canonical, string(canonical))

			// Sealed text is not sealed again, nor made a token of.
			for _, again := range []Value{Text(got), Bytes([]byte(got)), Composite(Int(1), Text(got))} {
				var refused *ValueError
				_, _, err = r.Seal(again)
				require.ErrorAs(t, err, &refused)
				require.Equal(t, CodeToken, refused.Code)
				_, err = testPseudonymiser(t).Token(again)
				require.ErrorAs(t, err, &refused)
				require.Equal(t, CodeToken, refused.Code)
			}
		}

		a := rapid.SampledFrom([]Alphabet{Decimal, Alphanumeric}).Draw(t, "alphabet")
		radix := map[Alphabet]int{Decimal: 10, Alphanumeric: 36}[a]
		text := rapid.StringMatching(map[Alphabet]string{Decimal: `[0-9]{6,70}`, Alphanumeric: `[0-9a-z]{4,60}`}[a]).Draw(t, "text")
		info := refInfo("privacy/pseudonym/v1/ff1", scope, version)
		block, err := aes.NewCipher(refKey(secret, info, 32))
		require.NoError(t, err)
		tweak := sha256.Sum256([]byte(info))
		var want strings.Builder
		for _, d := range refFF1(block, radix, digitsOf(text), tweak[:16], false) {
			want.WriteByte(base36[d])
		}
		enciphered, class, err := r.Encipher(a, text)
		require.NoError(t, err)
		require.Equal(t, want.String(), enciphered)
		require.Equal(t, Class{Linkability: Linkable, Reversible: true, Loss: LossNone}, class)
		for _, v := range []uint32{0, version} {
			back, err := r.RevealEnciphered(a, enciphered, v)
			require.NoError(t, err)
			require.Equal(t, text, back)
		}
	})
}

// Nothing that was hidden in one scope or version can be read in another.
func TestReversibleElsewhere(t *testing.T) {
	secret := testSecret(t, 's')
	var store Memory
	for _, tenant := range []string{"contoso", "fabrikam"} {
		for v := uint32(1); v <= 2; v++ {
			require.NoError(t, store.Add(tenant, v, secret), "one secret everywhere: only the scope keeps them apart")
		}
	}
	home := Scope{"contoso", "analytics", "user.id"}
	r, err := NewReversible(t.Context(), &store, home)
	require.NoError(t, err)
	sealed, _, err := r.Seal(Text("jane"))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(sealed, "v1_2_"), "the newest version")
	digits, _, err := r.Encipher(Decimal, "4111111111111111")
	require.NoError(t, err)

	scopes := []Scope{{"fabrikam", "analytics", "user.id"}, {"contoso", "support", "user.id"}, {"contoso", "analytics", "user.name"}, {"contoso", "analyticsuser", ".id"}}
	for _, s := range scopes {
		other, err := NewReversible(t.Context(), &store, s)
		require.NoError(t, err)
		_, b, err := other.Reveal(sealed)
		require.ErrorIs(t, err, ErrSealed, "%v", s)
		assert.Nil(t, b)
		text, _, err := other.Seal(Text("jane"))
		require.NoError(t, err)
		assert.NotEqual(t, sealed, text, "does not join")
		back, err := other.RevealEnciphered(Decimal, digits, 0)
		require.NoError(t, err, "any text is a ciphertext of FF1")
		assert.NotEqual(t, "4111111111111111", back)
	}

	// The version is part of the key, not only of the prefix.
	_, _, err = r.Reveal("v1_1_" + strings.TrimPrefix(sealed, "v1_2_"))
	require.ErrorIs(t, err, ErrSealed)
	_, _, err = r.Reveal("v1_3_" + strings.TrimPrefix(sealed, "v1_2_"))
	require.ErrorIs(t, err, ErrSealed)
	back, err := r.RevealEnciphered(Decimal, digits, 1)
	require.NoError(t, err)
	assert.NotEqual(t, "4111111111111111", back)
	_, err = r.RevealEnciphered(Decimal, digits, 3)
	require.ErrorIs(t, err, ErrSealed)

	// Another secret, everything else the same.
	var second Memory
	require.NoError(t, second.Add("contoso", 2, testSecret(t, 'z')))
	other, err := NewReversible(t.Context(), &second, home)
	require.NoError(t, err)
	_, _, err = other.Reveal(sealed)
	require.ErrorIs(t, err, ErrSealed)

	// Digits and letters are apart as well: the radix is part of FF1.
	letters, _, err := r.Encipher(Alphanumeric, "4111111111111111")
	require.NoError(t, err)
	assert.NotEqual(t, digits, letters)
}

func TestReversibleRotationAndDestruction(t *testing.T) {
	store := testStore(t, 1)
	old, err := NewReversible(t.Context(), store, testScope)
	require.NoError(t, err)
	sealed, _, err := old.Seal(Email("Jane@example.com"))
	require.NoError(t, err)
	digits, _, err := old.Encipher(Decimal, "123456")
	require.NoError(t, err)

	require.NoError(t, store.Add("contoso", 2, testSecret(t, 'y')))
	r, err := NewReversible(t.Context(), store, testScope)
	require.NoError(t, err)
	assert.Equal(t, uint32(2), r.Version())
	typ, b, err := r.Reveal(sealed)
	require.NoError(t, err, "older versions are read")
	assert.Equal(t, TypeEmail, typ)
	assert.Equal(t, "jane@example.com", string(b))
	back, err := r.RevealEnciphered(Decimal, digits, 1)
	require.NoError(t, err)
	assert.Equal(t, "123456", back)

	require.NoError(t, store.Destroy(t.Context(), "contoso", 1, Destruction{}))
	r, err = NewReversible(t.Context(), store, testScope)
	require.NoError(t, err)
	_, _, err = r.Reveal(sealed)
	require.ErrorIs(t, err, ErrSealed, "the secret is gone, and so is what was sealed with it")
	_, err = r.RevealEnciphered(Decimal, digits, 1)
	require.ErrorIs(t, err, ErrSealed)
	require.NoError(t, store.Destroy(t.Context(), "contoso", 2, Destruction{}))
	_, err = NewReversible(t.Context(), store, testScope)
	require.ErrorIs(t, err, ErrDestroyed)
}

// Every character of sealed text counts.
func TestSealedTextChanged(t *testing.T) {
	r := testReversible(t)
	for _, value := range []string{"j", "jane", "jane.doe@example.com", strings.Repeat("x", 300)} {
		sealed, _, err := r.Seal(Text(value))
		require.NoError(t, err)
		for i := range sealed {
			for _, c := range []byte("a2b7_z01A= \n\x00\xff") {
				changed := sealed[:i] + string([]byte{c}) + sealed[i+1:]
				if changed == sealed {
					continue
				}
				_, b, err := r.Reveal(changed)
				require.ErrorIs(t, err, ErrSealed, "character %d", i)
				require.Nil(t, b)
			}
		}
		for n := range len(sealed) {
			_, _, err := r.Reveal(sealed[:n])
			require.ErrorIs(t, err, ErrSealed, "cut to %d", n)
		}
		for _, more := range []string{"a", "aa", "aaaaaaaa", "=", " ", "\n"} {
			_, _, err := r.Reveal(sealed + more)
			require.ErrorIs(t, err, ErrSealed)
		}
	}
	for _, s := range []string{"", "v1_", "v1_1_", "p1_1_mr2gmpm4xx54sepw4ybzpisseq", "v1_1z141z4_" + strings.Repeat("a", 40), "v1_zzzzzzz_" + strings.Repeat("a", 40),
		"v1_01_" + strings.Repeat("a", 40), "v1_12345678_" + strings.Repeat("a", 40), "v1_1_" + strings.Repeat("a", 10_000), "v1__" + strings.Repeat("a", 40)} {
		_, _, err := r.Reveal(s)
		require.ErrorIs(t, err, ErrSealed)
	}
}

func TestSealLimits(t *testing.T) {
	r := testReversible(t)
	longest := strings.Repeat("x", MaxValue)
	sealed, _, err := r.Seal(Text(longest))
	require.NoError(t, err)
	_, b, err := r.Reveal(sealed)
	require.NoError(t, err)
	assert.Equal(t, longest, string(b))
	_, _, err = r.Seal(Text(sealed))
	var refused *ValueError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, CodeTooLong, refused.Code)
	_, _, err = r.Seal(Text(""))
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, CodeEmpty, refused.Code)
	_, _, err = r.Seal(Value{})
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, CodeNoType, refused.Code)
	dst, err := r.AppendSeal([]byte("before"), Phone("x"))
	require.Error(t, err)
	assert.Equal(t, "before", string(dst), "dst as it was")

	var zero Reversible
	_, _, err = zero.Seal(Int(1))
	require.ErrorIs(t, err, errReversibleNotMade)
	_, _, err = zero.Reveal(sealed)
	require.ErrorIs(t, err, errReversibleNotMade)
	_, _, err = zero.Encipher(Decimal, "123456")
	require.ErrorIs(t, err, errReversibleNotMade)
	_, err = zero.RevealEnciphered(Decimal, "123456", 0)
	require.ErrorIs(t, err, errReversibleNotMade)
	assert.Zero(t, zero.Version())
	assert.Equal(t, Linkable, r.Class())
}

func TestEncipherRefuses(t *testing.T) {
	r := testReversible(t)
	for _, tt := range []struct {
		a      Alphabet
		s      string
		reason string
	}{
		{Decimal, "", "empty"}, {Decimal, "12345", "10^5 is below a million"}, {Alphanumeric, "abc", "36^3 is below a million"},
		{Decimal, "4111-1111-1111-1111", "separators"}, {Decimal, "12345a", "a letter"}, {Decimal, "12345٣", "digit of another script"}, {Decimal, " 123456", "space"},
		{Alphanumeric, "ABCDEF", "capitals"}, {Alphanumeric, "abcd/", "before 0"}, {Alphanumeric, "abcd:", "after 9"}, {Alphanumeric, "abcd`", "before a"}, {Alphanumeric, "abcd{", "after z"}, {Alphanumeric, "abcdW", "ten before a"}, {Alphanumeric, "abcdV", "eleven before a"},
		{Decimal, "12345/", "before 0"}, {Decimal, "12345:", "after 9"}, {Alphanumeric, "ab\x00cd\xff", "no text"},
		{Decimal, strings.Repeat("1", 8193), "too long"}, {0, "123456", "no alphabet"}, {3, "123456", "no alphabet"},
	} {
		got, class, err := r.Encipher(tt.a, tt.s)
		refusal(t, tt.reason, got, class, err)
		got, err = r.RevealEnciphered(tt.a, tt.s, 0)
		refusal(t, tt.reason, got, Class{}, err)
		dst, err := r.AppendEncipher([]byte("before"), tt.a, tt.s)
		require.Error(t, err)
		assert.Equal(t, "before", string(dst))
	}
	for _, n := range []int{6, 55, 56, 57, 58, 8191, 8192} { // both sides of what 128 bits hold
		s := strings.Repeat("9", n)
		got, _, err := r.Encipher(Decimal, s)
		require.NoError(t, err)
		assert.Len(t, got, n)
		_, ok := new(big.Int).SetString(got, 10)
		assert.True(t, ok)
		back, err := r.RevealEnciphered(Decimal, got, 0)
		require.NoError(t, err)
		assert.Equal(t, s, back)
	}
	assert.Equal(t, "invalid decimal alphanumeric invalid", fmt.Sprint(Alphabet(0), Decimal, Alphanumeric, Alphabet(3)))
}

func TestNewReversibleRefuses(t *testing.T) {
	for _, s := range []Scope{{}, {"t", "p", ""}, {"t", "", "c"}, {"", "p", "c"}, {"t", "_p", "c"}, {"t", "p", "\xff"}} {
		r, err := NewReversible(t.Context(), testStore(t, 1), s)
		require.ErrorIs(t, err, ErrScope)
		assert.Nil(t, r)
	}
	_, err := NewReversible(t.Context(), nil, testScope)
	require.ErrorIs(t, err, ErrOption)
	_, err = NewReversible(t.Context(), &Memory{}, testScope)
	require.ErrorIs(t, err, ErrUnknown)
}

func TestReversibleAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop states at random; go test without -race counts allocations")
	}
	r := testReversible(t)
	buf := make([]byte, 0, 128)
	v, digits56 := Bytes(benchValue), strings.Repeat("41111111", 7)
	for name, f := range map[string]func(){
		"seal":     func() { buf, _ = r.AppendSeal(buf[:0], v) },
		"digits16": func() { buf, _ = r.AppendEncipher(buf[:0], Decimal, "4111111111111111") },
		"digits56": func() { buf, _ = r.AppendEncipher(buf[:0], Decimal, digits56) },
		"base36":   func() { buf, _ = r.AppendEncipher(buf[:0], Alphanumeric, "abcdefghijklmnopqrstuvwxyz0123456789") },
	} {
		f()
		assert.Zero(t, testing.AllocsPerRun(200, f), name)
	}
}

func TestReversibleIsSafeForConcurrentUse(t *testing.T) {
	r := testReversible(t)
	d := testShift(t, 1, ShiftRange{Lo: -30, Hi: 30})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				n := int64(g*1000 + i)
				sealed, _, err := r.Seal(Int(n))
				assert.NoError(t, err)
				_, b, err := r.Reveal(sealed)
				assert.NoError(t, err)
				assert.Equal(t, binary.BigEndian.AppendUint64(nil, uint64(n)), b)
				text := fmt.Sprintf("%016d", n)
				hidden, _, err := r.Encipher(Decimal, text)
				assert.NoError(t, err)
				back, err := r.RevealEnciphered(Decimal, hidden, 0)
				assert.NoError(t, err)
				assert.Equal(t, text, back)
				moved, _, err := d.Shift(Int(n), "2024-02-29", 0)
				assert.NoError(t, err)
				date, err := d.Reveal(Int(n), moved, 0)
				assert.NoError(t, err)
				assert.Equal(t, "2024-02-29", date)
			}
		})
	}
	wg.Wait()
}

// Neither a key nor a value shows in what these types print, or in their errors.
func TestReversibleCanary(t *testing.T) {
	const canary = "canary@example.test"
	raw := []byte("KEYMATERIAL-zyxwvutsrqponmlkjihg")
	secret, err := NewSecret(raw)
	require.NoError(t, err)
	var store Memory
	require.NoError(t, store.Add("contoso", 1, secret))
	r, err := NewReversible(t.Context(), &store, testScope)
	require.NoError(t, err)
	d, err := NewDateShift(t.Context(), &store, testScope, ShiftRange{Lo: -30, Hi: 30})
	require.NoError(t, err)

	var out strings.Builder
	note := func(xs ...any) { out.WriteString(leak.Print(xs...)) }
	sealed, class, err := r.Seal(Email(canary))
	note(sealed, class, err)
	hidden, class, err := r.Encipher(Alphanumeric, "canarycanary")
	note(hidden, class, err)
	long := strings.Repeat(canary, 300)
	for _, s := range []string{canary, long, "v1_1_" + strings.Repeat("canary", 10), "v1_2_" + strings.Repeat("canary", 8), canary + "canarycanarycanarycanarycanary"} {
		x, class, err := r.Seal(Phone(s))
		note(x, class, err)
		x, class, err = r.Encipher(Alphanumeric, s)
		note(x, class, err)
		x, class, err = r.Encipher(Decimal, s)
		note(x, class, err)
		_, err = r.RevealEnciphered(Decimal, s, 0)
		note(err)
		_, err = r.RevealEnciphered(Alphanumeric, "canarycanary", 7)
		note(err)
		_, b, err := r.Reveal(s)
		note(b, err)
		x, class, err = d.Shift(Phone(s), "2024-02-29", 0)
		note(x, class, err)
		x, class, err = d.Shift(Text(canary), s, 0)
		note(x, class, err)
		x, err = d.Reveal(Text(canary), s, 9)
		note(x, err)
		for _, f := range []func(string) (string, Class, error){DateToQuarter, TopCodeAge, ZIP3} {
			x, class, err := f(s)
			note(x, class, err)
		}
		for _, f := range []func(string, string) (string, Class, error){TopCode, BottomCode, Bucket} {
			for _, args := range [][2]string{{s, "1"}, {"1", s}} {
				x, class, err := f(args[0], args[1])
				note(x, class, err)
			}
		}
		_, err = NewBuckets(s)
		note(err)
		_, err = NewZIP3Table(s)
		note(err)
		_, _, err = RandomToken(strings.NewReader(s[:10]))
		note(err)
	}
	note(r, *r, r.keys[0], r.keys, struct{ hidden *Reversible }{r}, d, *d, d.keys[0], struct{ hidden *DateShift }{d})

	assert.Contains(t, out.String(), "v1_1_", "nothing was gathered")
	assert.NotContains(t, out.String(), "canary")
	for label, size := range map[string]int{labelSIV: 64, labelFF1: 32, labelShift: 32} {
		derived, err := deriveKey(secret.b.p, label, testScope, 1, size)
		require.NoError(t, err)
		assert.Zero(t, leak.Find(out.String(), derived, raw), "printed")
	}
}

func FuzzReveal(f *testing.F) {
	r := testReversible(f)
	sealed, _, err := r.Seal(Email("jane@example.com"))
	require.NoError(f, err)
	short, _, err := r.Seal(Text("x"))
	require.NoError(f, err)
	for _, s := range []string{"", "v1_", sealed, short, sealed[:len(sealed)-1], strings.ToUpper(sealed), "v1_2_" + sealed[5:], "v1_100_" + strings.Repeat("2", 27), "p1_1_mr2gmpm4xx54sepw4ybzpisseq"} {
		f.Add(s)
	}
	pattern := regexp.MustCompile(SealedPattern)
	f.Fuzz(func(t *testing.T, s string) {
		if _, _, ok := parseSealed(s); ok {
			require.Regexp(t, pattern, s)
		}
		typ, b, err := r.Reveal(s)
		if err != nil {
			require.ErrorIs(t, err, ErrSealed)
			require.Nil(t, b)
			return
		}
		// Nobody can make such a text without the key, so it is one of the seeds.
		require.Contains(t, []string{sealed, short}, s)
		require.Contains(t, []Type{TypeEmail, TypeText}, typ)
	})
}

func FuzzEncipher(f *testing.F) {
	r := testReversible(f)
	f.Add(uint8(1), "4111111111111111")
	f.Add(uint8(2), "ab12cd34")
	f.Add(uint8(2), "AB12")
	f.Add(uint8(1), strings.Repeat("9", 57))
	f.Fuzz(func(t *testing.T, a uint8, s string) {
		got, _, err := r.Encipher(Alphabet(a), s)
		if err != nil {
			require.Empty(t, got)
			return
		}
		require.Len(t, got, len(s))
		back, err := r.RevealEnciphered(Alphabet(a), got, 0)
		require.NoError(t, err)
		require.Equal(t, s, back)
	})
}
