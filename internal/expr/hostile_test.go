package expr_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/privetdev/privet/internal/expr"
)

// doubled writes [seed].map(x, x + x).map(x, x + x)…, inside of so many macros: a
// list whose one element is the seed, a text or list, joined with itself n times.
func doubled(level, n int, seed ...any) []any {
	steps := append(slices.Repeat([]any{OpTransform}, n), list(1))
	steps = append(steps, seed...)
	for range n {
		steps = append(steps, OpAdd, []int{level}, []int{level})
	}
	return steps
}

func join(parts ...[]any) []any { return slices.Concat(parts...) }

// TestManyPatterns: what the automata of all patterns of a program keep and throw away
// is bounded, too, though nobody pays for it from the budget.
func TestManyPatterns(t *testing.T) {
	number := 0
	var some func(n int) []any // of n patterns one matches
	some = func(n int) []any {
		if n == 1 {
			number++
			return []any{text(OpMatches, fmt.Sprintf("(a|b)*a(a|b){12}c%d", number)), slotS}
		}
		return join([]any{OpOr}, some(n/2), some(n-n/2))
	}
	p, err := try(some(250)...)
	require.NoError(t, err)
	f := Frame{Vars: vars(), Host: host{}}
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 400)
	for i := range b {
		b[i] = "ab"[r.IntN(2)]
	}
	f.Vars[slotS] = String(string(b))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, c := f.EvalBool(p)
	runtime.ReadMemStats(&after)
	assert.Equal(t, OK, c)
	assert.LessOrEqual(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20))
	runtime.KeepAlive(p)
}

// TestHostilePrograms runs programs that an enemy would send: as much work as
// possible for what it costs. Each ends at its budget, and allocates no more than the
// budget says.
func TestHostilePrograms(t *testing.T) {
	long := strings.Repeat("0", 60_000)
	// all over 131,072 numbers, and in each turn over all of them again: the body
	// sees the list as local 0 and numbers as locals 1 and 2.
	ever := func(body ...any) []any {
		return join([]any{OpAll}, doubled(0, 17, list(1), Int(0)), []any{OpAll, []int{0}, OpAll, []int{0}}, body)
	}
	// The same, where two long texts are locals 0 and 1, numbers locals 3 and 4.
	with := func(size int, body ...any) []any {
		return join([]any{OpAll}, doubled(0, size, String(long)), []any{OpAll}, doubled(1, size, String(long)),
			[]any{OpAll}, doubled(2, 12, list(1), Int(0)), []any{OpAll, []int{2}, OpAll, []int{2}}, body)
	}
	for _, tt := range []struct {
		reason string
		steps  []any
	}{
		{"nothing but turns", ever(Bool(true))},
		{"a number is looked for in every number", ever(OpNot, OpIn, Int(1), []int{0})},
		{"a text is looked for in every text", join([]any{OpAll}, doubled(0, 17, list(1), String("a")), []any{OpAll, []int{0}, OpNot, OpIn, String("b"), []int{0}})},
		{"a list is looked for in lists", ever(OpIn, []int{0}, list(3), list(0), list(0), []int{0})},
		{"a large body in each turn", ever(join([]any{OpEq}, slices.Repeat([]any{OpAdd, []int{2}}, 150), []any{[]int{1}, Int(0)})...)},
		{"a large pattern on a short text", ever(OpNot, text(OpMatches, "^(?:(?:a?){30}){30}b$"), String("aaaaaaaaaaaaaaa"))},
		{"a large pattern on no text", ever(text(OpMatches, "^(?:(?:a?){30}){30}$"), String(""))},
		{"a long key is looked for", ever(text(OpHas, long), mapping(1), String(long), Int(1))},
		{"a long number is read", with(4, OpEq, OpToInt, []int{0}, []int{3})},
		{"a number that is hard to read", ever(OpGt, OpToDouble, String("179769313486231580793728971405301e276"), Double(1e308))},
		{"long texts are compared", with(7, OpEq, []int{0}, []int{1})},
		{"long texts are put in order", with(7, OpLe, []int{0}, []int{1})},
		{"a long text is looked for in a list", with(7, OpIn, []int{0}, list(2), []int{1}, []int{1})},
		{"maps with long keys are compared", with(7, OpEq, mapping(1), []int{0}, Int(1), mapping(1), []int{1}, Int(1))},
		{"long keys are sorted", with(7, OpEq, OpSize, mapping(2), []int{0}, Int(1), []int{1}, Int(1), Int(1))},
		{"a long text is counted outside of a loop", join([]any{OpAll}, doubled(0, 9, String(strings.Repeat("日", 20_000))), []any{OpGe}, slices.Repeat([]any{OpAdd, OpSize, []int{0}}, 140), []any{Int(0), Int(0)})},
		{"a function of two lists", join([]any{OpAll}, doubled(0, 17, list(1), String("a")), []any{OpAll, []int{0}, call(4), []int{0}, []int{0}})},
		{"a function of two lists of long texts", with(6, call(4), list(8), []int{0}, []int{0}, []int{0}, []int{0}, []int{0}, []int{0}, []int{0}, []int{0}, list(4), []int{1}, []int{1}, []int{1}, []int{1})},
		{"instants are written", ever(OpNe, OpToString, OpToTimestamp, String("2024-02-29T12:00:00.123456789+05:37"), String(""))},
		{"numbers are written", ever(OpNe, OpToString, OpAdd, Double(1.1e-300), OpToDouble, []int{1}, String(""))},
		{"bytes that are no text are made one", ever(OpEq, OpLower, slotS, String("\ufffdabc"))},
		{"a list grows", ever(OpNe, OpFilter, []int{0}, Bool(true), list(0))},
		{"a list of lists", ever(OpNe, OpTransform, []int{0}, list(2), []int{1}, []int{1}, list(0))},
		{"a text is split", with(0, OpNe, OpSplit, []int{0}, String(""), list(0))},
		{"a text is replaced", with(0, OpNe, OpReplace, []int{0}, String("0"), String("01"), String(""))},
	} {
		p, err := try(tt.steps...)
		if !assert.NoError(t, err, tt.reason) {
			continue
		}
		f := Frame{Vars: vars(), Host: host{}}
		f.Vars[slotS] = String("\xffABC")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, c := f.EvalBool(p)
		runtime.ReadMemStats(&after)
		allocated := after.TotalAlloc - before.TotalAlloc
		assert.Equal(t, TooMuch, c, tt.reason)
		assert.LessOrEqual(t, allocated, uint64(4*Budget+4*Budget/8), tt.reason)
		assert.LessOrEqual(t, f.Spent(), Budget, tt.reason)
	}
}
