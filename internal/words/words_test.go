package words

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/profile"
)

func split(name string) string {
	buf, ends := make([]byte, Room(len(name))), make([]int32, Max)
	n := Split(name, buf, ends)
	var out []string
	from := int32(0)
	for _, to := range ends[:n] {
		out = append(out, string(buf[from:to]))
		from = to
	}
	return strings.Join(out, " ")
}

func TestSplit(t *testing.T) {
	assert.Equal(t, profile.MaxWords, Max)
	for name, want := range map[string]string{
		"": "", "_": "", "a": "a", "user_id": "user id", "userIDs": "user ids", "HTTPServerID": "http server id", "IPv4Address": "ipv 4 address",
		"IDsOf": "ids of", "IDsum": "i dsum", "x1y22": "x 1 y 22", "Straße-Nr.": "straße nr", "ÉTATCivil": "état civil", "naïveTest": "naïve test",
		"e\u0301tat": "e\u0301tat", "имяФайла": "имя файла", "顧客ID": "顧客 id", "٣abc": "٣ abc", "a\xffb": "a b", "\xe6\x97": "", "ǅungla": "ǆungla", "İD": "id", "𝐀b": "𝐀b", "Ⓐb": "b",
	} {
		assert.Equal(t, want, split(name), "%q", name)
	}
	long := strings.Repeat("a", 127)
	assert.Equal(t, long+" b", split(long+"éc_b"), "a word ends at 128 bytes, between characters, and has no gaps")
	assert.Equal(t, long+"c b", split(long+"cé_b"))
	assert.Equal(t, Max, len(strings.Fields(split(strings.Repeat("a_", 100)))))
}

// plainSplit is the rule without haste: which characters begin words.
func plainSplit(name string) string {
	kind := func(r rune, size int) Kind {
		switch {
		case r == utf8.RuneError || size == 0:
			return Separator
		case unicode.IsUpper(r):
			return Upper
		case unicode.IsLetter(r) || unicode.IsMark(r):
			return Lower
		case unicode.IsDigit(r):
			return Digit
		}
		return Separator
	}
	at := func(s string, i int) (Kind, string) {
		r, size := utf8.DecodeRuneInString(s[min(i, len(s)):])
		return kind(r, size), s[min(i, len(s)):min(i+size, len(s))]
	}
	var out []string
	prev := Separator
	full := false
	for i := 0; i < len(name); {
		k, c := at(name, i)
		i += len(c)
		next, text := at(name, i)
		after, _ := at(name, i+len(text))
		tail := text == "s" && after != Lower || text == "v" && after == Digit
		if k != Separator {
			if prev == Separator || prev == Digit && k != Digit || prev != Digit && k == Digit || prev == Lower && k == Upper || prev == Upper && k == Upper && next == Lower && !tail {
				if len(out) == Max {
					break
				}
				out, full = append(out, ""), false
			}
			small := string(unicode.ToLower([]rune(c)[0]))
			if last := &out[len(out)-1]; len(*last)+len(small) > MaxLen {
				full = full || len(small) >= 1
			} else if !full {
				*last += small
			}
		}
		prev = k
	}
	return strings.Join(out, " ")
}

var pieces = []string{"a", "b", "s", "v", "ID", "IDs", "A", "Z", "user", "Name", "1", "42", "_", "-", ".", " ", "é", "É", "ß", "ж", "Ж", "ǅ", "ﬁ", "日", "本", "の", "٣", "१", "\u0301", "\u0930\u093f",
	"𝐀", "𐐀", "𐐨", "🙂", "\xff", "\xe6\x97", "\x80", "\xf0\x9d\x90", "\u2c65", "\u023a", "\u00a0", "Ⓐ", "ª", "²", "K", "ſ", "İ", "\ufffd"}

func text(r *rand.Rand, n int) string {
	var b strings.Builder
	for range r.IntN(n) {
		if r.IntN(20) == 0 {
			b.WriteRune(rune(r.IntN(unicode.MaxRune)))
		} else if r.IntN(40) == 0 {
			b.WriteString(strings.Repeat(pieces[r.IntN(len(pieces))], r.IntN(150)))
		}
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

func TestSplitIsTheRule(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 60_000 {
		n := 12
		if i%20 == 0 {
			n = 300
		}
		name := text(r, n)
		require.Equal(t, plainSplit(name), split(name), "%q", name)
	}
}

// Where words are does not depend on where one begins to read.
func TestNextBeginsAnywhere(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	buf := make([]byte, MaxLen)
	for range 5000 {
		s := text(r, 20)
		type word struct {
			start, end int
			text       string
		}
		var all []word
		for i := 0; ; {
			start, end, size := Next(s, i, buf)
			if start == end {
				require.Equal(t, len(s), end)
				break
			}
			all = append(all, word{start, end, string(buf[:size])})
			i = end
		}
		for i := 0; i <= len(s); i++ {
			from := i // as near words do
			for n := 1; n < utf8.UTFMax && from > 0 && from < len(s) && !utf8.RuneStart(s[from]); n++ {
				from--
			}
			start, end, size := Next(s, from, buf)
			for start < i && start < end {
				start, end, size = Next(s, end, buf)
			}
			want := word{len(s), len(s), ""}
			for _, w := range all {
				if w.start >= i {
					want = w
					break
				}
			}
			require.Equal(t, want, word{start, end, string(buf[:size])}, "%q from %d", s, i)
		}
	}
}

func TestSmallLettersHaveRoom(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if utf8.ValidRune(r) && 2*utf8.RuneLen(unicode.ToLower(r)) > 3*utf8.RuneLen(r) {
			t.Fatalf("%U", r)
		}
	}
	name := strings.Repeat("\u023a", 40)
	assert.Len(t, split(name), 120)
	assert.Equal(t, 1, Split("ab cd", make([]byte, 4), make([]int32, 1)), "no more than there is room for")
	assert.Equal(t, 2, Split("ab cd", make([]byte, 3), make([]int32, 9)))
}

func TestIs(t *testing.T) {
	for _, tt := range []struct {
		w, p   string
		plural bool
		want   bool
	}{
		{"id", "id", false, true}, {"ids", "id", false, false}, {"ids", "id", true, true}, {"id", "ids", true, false}, {"idss", "id", true, false}, {"id", "", true, false}, {"s", "", true, true}, {"idx", "id", true, false},
	} {
		assert.Equal(t, tt.want, Is([]byte(tt.w), tt.p, tt.plural), "%v", tt)
	}
}

func TestFind(t *testing.T) {
	for _, n := range []int{0, 1, 3, 4, 5, 100, 5000, 70_000} {
		var list []string
		var pool []byte
		at := []uint32{0}
		var numbers []int
		for i := range n {
			w := fmt.Sprintf("%xw%d", i*7919%n, i)
			pool = append(pool, w...)
			at = append(at, uint32(len(pool)))
			if i%7 == 3 {
				continue // has a number and is not looked up
			}
			list, numbers = append(list, w), append(numbers, i)
		}
		slots := Slots(list, numbers)
		for i, w := range list {
			require.Equal(t, numbers[i], Find([]byte(w), slots, at, pool))
			require.Equal(t, -1, Find([]byte(w+"x"), slots, at, pool))
			require.Equal(t, w, string(Text(numbers[i], at, pool)))
		}
		if n > 10 {
			require.Equal(t, -1, Find(Text(3, at, pool), slots, at, pool))
		}
		require.Equal(t, -1, Find(nil, slots, at, pool))
	}
	assert.Equal(t, -1, Find([]byte("a"), nil, nil, nil))
}

func BenchmarkSplit(b *testing.B) {
	names := []string{"customerEmailAddress", "user_id", "HTTPServerIDs", "größeDerStraße", "имя_пользователя"}
	buf, ends := make([]byte, 1024), make([]int32, Max)
	for b.Loop() {
		for _, n := range names {
			Split(n, buf, ends)
		}
	}
}

func TestBits(t *testing.T) {
	var in []string
	for i := range 1000 {
		in = append(in, fmt.Sprintf("word%d", i*7))
	}
	bits := Bits(in)
	for _, w := range in {
		require.True(t, Maybe([]byte(w), bits), w)
	}
	others := 0
	for i := range 10000 {
		if Maybe(fmt.Appendf(nil, "other%d", i), bits) {
			others++
		}
	}
	assert.Less(t, others, 4000)
	assert.False(t, Maybe([]byte("word"), Bits(nil)))
}
