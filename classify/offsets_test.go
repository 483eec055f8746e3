package classify_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
)

func ExampleOffsets() {
	text := "😀 Größe: jane@example.test"
	start := strings.Index(text, "jane")
	end := start + len("jane@example.test")

	var o classify.Offsets
	startRune, start16 := o.Of(text, start)
	endRune, end16 := o.Of(text, end)
	fmt.Println("Go:        ", start, end)
	fmt.Println("Python:    ", startRune, endRune)
	fmt.Println("JavaScript:", start16, end16)
	// Output:
	// Go:         14 31
	// Python:     9 26
	// JavaScript: 10 27
}

// placesOf counts slowly: for each byte of the text and for its end, the code points
// and UTF-16 units of what is decoded before the character that the byte belongs to.
func placesOf(text string) (out [][2]int) {
	var before []rune
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			size = maximalSubpart(text[i:])
		}
		for range size {
			out = append(out, [2]int{len(before), len(utf16.Encode(before))})
		}
		before = append(before, r)
		i += size
	}
	return append(out, [2]int{len(before), len(utf16.Encode(before))})
}

// maximalSubpart is how many bytes one U+FFFD stands for: those that begin a row of
// table 3-7 of the Unicode Standard (well-formed UTF-8), or one (section 3.9, U+FFFD
// Substitution of Maximal Subparts).
func maximalSubpart(s string) int {
	in := func(i int, low, high byte) bool { return i < len(s) && low <= s[i] && s[i] <= high }
	for _, row := range [][4]byte{
		{0xE0, 0xE0, 0xA0, 0xBF}, {0xE1, 0xEC, 0x80, 0xBF}, {0xED, 0xED, 0x80, 0x9F}, {0xEE, 0xEF, 0x80, 0xBF},
		{0xF0, 0xF0, 0x90, 0xBF}, {0xF1, 0xF3, 0x80, 0xBF}, {0xF4, 0xF4, 0x80, 0x8F},
	} {
		if in(0, row[0], row[1]) && in(1, row[2], row[3]) {
			if row[0] >= 0xF0 && in(2, 0x80, 0xBF) {
				return 3
			}
			return 2
		}
	}
	return 1
}

// offsetsLaws are what holds for every text: in ascending order, and in any other.
func offsetsLaws(text string, r *rand.Rand) error {
	want := placesOf(text)
	var ascending, mixed classify.Offsets
	for at := range want {
		if runes, units := ascending.Of(text, at); [2]int{runes, units} != want[at] {
			return fmt.Errorf("byte %d is %d, %d, want %d", at, runes, units, want[at])
		}
		at := r.IntN(len(want))
		if runes, units := mixed.Of(text, at); [2]int{runes, units} != want[at] {
			return fmt.Errorf("in any order: byte %d is %d, %d, want %d", at, runes, units, want[at])
		}
	}
	if !utf8.ValidString(text) {
		return nil
	}
	for at := range text {
		if runes, units := mixed.Of(text, at); runes != len([]rune(text[:at])) || units != len(utf16.Encode([]rune(text[:at]))) {
			return fmt.Errorf("byte %d of valid text is %d, %d", at, runes, units)
		}
	}
	return nil
}

func TestOffsets(t *testing.T) {
	for _, tt := range []struct {
		text         string
		at           int
		runes, utf16 int
		reason       string
	}{
		{"", 0, 0, 0, "nothing"},
		{"abc", 2, 2, 2, "ASCII"},
		{"Größe", 4, 3, 3, "ö is two bytes and one of each"},
		{"Größe", 3, 2, 2, "inside of ö: where it begins"},
		{"東京都", 6, 2, 2, "three bytes each"},
		{"😀x", 4, 1, 2, "a surrogate pair"},
		{"😀x", 3, 0, 0, "inside of it"},
		{"e\u0301x", 3, 2, 2, "a combining accent is a code point"},
		{"👍🏽x", 8, 2, 4, "and so is the tone of a skin"},
		{"abc", 9, 3, 3, "behind the end"},
		{"abc", -1, 0, 0, "before the begin"},
		{"a\x00b", 2, 2, 2, "a zero byte is a character"},
		// As Python 3 and TextDecoder decode them.
		{"\xffx", 1, 1, 1, "never in UTF-8"},
		{"\x80\x80x", 2, 2, 2, "bytes that follow nothing"},
		{"\xe2\x82x", 2, 1, 1, "the begin of U+20AC is one character"},
		{"\xe2\x82x", 1, 0, 0, "and its second byte inside"},
		{"\xf0\x9f\x98x", 3, 1, 1, "the begin of U+1F600 is one of one unit"},
		{"\xf0\x9f\x98", 3, 1, 1, "at the end, too"},
		{"\xc0\x80x", 2, 2, 2, "an overlong form begins no character"},
		{"\xed\xa0\x80x", 3, 3, 3, "nor does a surrogate"},
		{"\xf4\x90\x80\x80x", 4, 4, 4, "nor what lies beyond U+10FFFF"},
		{"\xe2\xe2\x82\xacx", 4, 2, 2, "a begin and a whole character"},
		{"\xef\xbf\xbdx", 3, 1, 1, "U+FFFD itself"},
	} {
		var o classify.Offsets
		runes, units := o.Of(tt.text, tt.at)
		assert.Equal(t, [2]int{tt.runes, tt.utf16}, [2]int{runes, units}, "byte %d of %+q: %s", tt.at, tt.text, tt.reason)
		if 0 <= tt.at && tt.at <= len(tt.text) {
			assert.Equal(t, [2]int{tt.runes, tt.utf16}, placesOf(tt.text)[tt.at], "the reference at byte %d of %+q: %s", tt.at, tt.text, tt.reason)
		}
	}
}

func TestOffsetsOfAnotherText(t *testing.T) {
	var o classify.Offsets
	o.Of("ööö", 6)
	runes, _ := o.Of("oooooo", 6)
	assert.Equal(t, 6, runes, "another text of the same length")
	runes, _ = o.Of(strings.Clone("oooooo"), 3)
	assert.Equal(t, 3, runes, "a copy")
	runes, _ = o.Of("öööx", 7)
	assert.Equal(t, 4, runes, "a longer text")
}

func TestOffsetsOfAnyText(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 20000 {
		var b strings.Builder
		for range r.IntN(12) {
			switch r.IntN(6) {
			case 0:
				b.WriteString("0123456789abcdef"[:1+r.IntN(16)])
			case 1:
				b.WriteRune(rune(0x80 + r.IntN(0x780)))
			case 2:
				b.WriteRune(rune(0x800 + r.IntN(0xD000)))
			case 3:
				b.WriteRune(rune(0x10000 + r.IntN(0x100000)))
			case 4:
				b.WriteByte(byte(0x80 + r.IntN(0x80)))
			case 5:
				c := string(rune(0x10000 + r.IntN(0x100000)))
				b.WriteString(c[:1+r.IntN(3)])
			}
		}
		require.NoError(t, offsetsLaws(b.String(), r), "%+q", b.String())
	}
}

func TestOffsetsAllocateNothing(t *testing.T) {
	var o classify.Offsets
	text := strings.Repeat("Größe 😀 ", 100)
	sum := 0
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		for at := 0; at < len(text); at += 50 {
			runes, _ := o.Of(text, at)
			sum += runes
		}
	}))
	assert.NotZero(t, sum)
}

func FuzzOffsets(f *testing.F) {
	for _, s := range []string{"", "abc", "Größe 東京 😀", "\xf0\x9f\x98\xe2\x82\xc3", "\xed\xa0\x80\xf4\x90\x80\x80\xc0\xaf"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 512 {
			return // the laws ask about every place
		}
		if err := offsetsLaws(text, rand.New(rand.NewPCG(uint64(len(text)), 7))); err != nil {
			t.Fatalf("%+q: %v", text, err)
		}
	})
}

// BenchmarkOffsets converts the offsets of a thousand places of 64 kB in order, which
// is what a scan that finds much does.
func BenchmarkOffsets(b *testing.B) {
	for _, tt := range []struct{ name, text string }{
		{"ASCII", "The quick brown fox jumps over the lazy dog. "},
		{"German", "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. "},
		{"Russian", "Съешь же ещё этих мягких французских булок, да выпей чаю. "},
		{"Japanese", "色は匂へど、散りぬるを。我が世誰ぞ、常ならむ。"},
		{"emoji", "😀👍🏽🎉"},
	} {
		text := strings.Repeat(tt.text, 1+1<<16/len(tt.text))
		b.Run(tt.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			var o classify.Offsets
			for b.Loop() {
				for at := 0; at <= len(text); at += len(text) / 1000 {
					o.Of(text, at)
				}
			}
		})
	}
}
