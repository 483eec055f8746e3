package pseudonym

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseTokenRefused(t *testing.T) {
	const good = "p1_1_mr2gmpm4xx54sepw4ybzpisseq"
	_, err := ParseToken(good)
	require.NoError(t, err)
	for _, tt := range []struct {
		text    string
		pattern bool // matched by TokenPattern all the same
		reason  string
	}{
		{"", false, "empty"},
		{"jane@example.com", false, "not a token"},
		{"P1_1_mr2gmpm4xx54sepw4ybzpisseq", false, "capitals"},
		{"p1_1_MR2GMPM4XX54SEPW4YBZPISSEQ", false, "capitals"},
		{"q1_1_mr2gmpm4xx54sepw4ybzpisseq", false, "unknown suite"},
		{"p2_1_mr2gmpm4xx54sepw4ybzpisseq", false, "unknown construction"},
		{"p1-1_mr2gmpm4xx54sepw4ybzpisseq", false, "not an underscore"},
		{"p1__mr2gmpm4xx54sepw4ybzpisseq", false, "no version"},
		{"p1_0_mr2gmpm4xx54sepw4ybzpisseq", false, "versions count from 1"},
		{"p1_01_mr2gmpm4xx54sepw4ybzpisseq", false, "leading zero: a second spelling"},
		{"p1_00000001_mr2gmpm4xx54sepw4ybzpisseq", false, "version too long"},
		{"p1_A_mr2gmpm4xx54sepw4ybzpisseq", false, "capital in the version"},
		{"p1_1z141z4_mr2gmpm4xx54sepw4ybzpisseq", true, "version 2^32"},
		{"p1_zzzzzzz_mr2gmpm4xx54sepw4ybzpisseq", true, "version beyond 32 bits"},
		{good + " ", false, "space after it"},
		{" " + good, false, "space before it"},
		{good + "\n", false, "line break after it"},
		{"p1_1_mr2gmpm4xx54s\nepw4ybzpisseq", false, "line break inside, which encoding/base32 skips"},
		{good + "======", false, "padding"},
		{"p1_1_mr2gmpm4xx54sepw4ybzpisse1", false, "1 is not in the alphabet"},
		{"p1_1_mr2gmpm4xx54sepw4ybzpisse8", false, "8 is not in the alphabet"},
		{"p1_1_mr2gmpm4xx54sepw4ybzpisser", true, "unused bits are not zero: a second spelling"},
		{"p1_1_mr2gmpm4xx54sepw4yb", false, "19 characters"},
		{"p1_1_mr2gmpm4xx54sepw4ybx", true, "12 bytes leave 4 bits, which are not zero here"},
		{"p1_1_mr2gmpm4xx54sepw4ybaaa", true, "22 characters are no number of bytes"},
		{"p1_1_mr2gmpm4xx54sepw4ybaaaaaa", true, "25 characters are no number of bytes"},
		{"p1_1_" + strings.Repeat("a", 53), false, "longer than 32 bytes"},
		{"p1_1_" + strings.Repeat("a", 51), true, "51 characters leave 7 bits"},
		{"p1_1_" + strings.Repeat("a", 1<<20), false, "far too long"},
	} {
		token, err := ParseToken(tt.text)
		require.ErrorIs(t, err, ErrToken, tt.reason)
		assert.Zero(t, token)
		assert.NotContains(t, err.Error(), "mr2g")
		assert.Equal(t, tt.pattern, regexp.MustCompile(TokenPattern).MatchString(tt.text), "pattern: %s", tt.reason)
		assert.Equal(t, tt.pattern, matchesToken([]byte(tt.text)), "matcher: %s", tt.reason)
	}
}

func TestParseToken(t *testing.T) {
	for _, tt := range []struct {
		text, suite string
		version     uint32
		n           int
		reason      string
	}{
		{"p1_1_mr2gmpm4xx54sepw4ybzpisseq", "p1", 1, 16, "the default"},
		{"s1_10_jxt7pgkvujh6lxcxovtltag4be", "s1", 36, 16, "subject tokens have the same form"},
		{"p1_1z141z3_aaaaaaaaaaaaaaaaaaaa", "p1", 1<<32 - 1, 12, "the highest version, the shortest id"},
		{"p1_z_" + strings.Repeat("7", 51) + "q", "p1", 35, 32, "the longest id"},
	} {
		token, err := ParseToken(tt.text)
		require.NoError(t, err, tt.reason)
		assert.Equal(t, tt.suite, token.Suite())
		assert.Equal(t, tt.version, token.Version())
		assert.Len(t, token.ID(), tt.n)
		assert.Equal(t, tt.text, token.String())

		text, err := json.Marshal(token)
		require.NoError(t, err)
		assert.Equal(t, `"`+tt.text+`"`, string(text))
		var back Token
		require.NoError(t, json.Unmarshal(text, &back))
		assert.Equal(t, token, back)
		require.ErrorIs(t, back.UnmarshalText([]byte("x")), ErrToken)
		assert.Equal(t, token, back, "unchanged by an error")
	}
}

func TestZeroToken(t *testing.T) {
	var token Token
	assert.Empty(t, token.String())
	assert.Empty(t, token.Suite())
	assert.Zero(t, token.Version())
	assert.Empty(t, token.ID())
	_, err := token.MarshalText()
	assert.ErrorIs(t, err, ErrToken)
}

func TestEveryIDLength(t *testing.T) {
	longest, err := testPseudonymiser(t, WithIDLength(32)).Token(Int(1))
	require.NoError(t, err)
	for n := MinIDLength; n <= MaxIDLength; n++ {
		token, err := testPseudonymiser(t, WithIDLength(n)).Token(Int(1))
		require.NoError(t, err)
		assert.Equal(t, longest.ID()[:n], token.ID())
		assert.Regexp(t, TokenPattern, token.String())
		assert.Len(t, token.String(), len("p1_1_")+(n*8+4)/5)
		back, err := ParseToken(token.String())
		require.NoError(t, err)
		assert.Equal(t, token, back)
	}
}

func TestUUIDv8Text(t *testing.T) {
	u, err := testPseudonymiser(t).UUID(Int(1))
	require.NoError(t, err)
	assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, u.String())
	text, err := json.Marshal(u)
	require.NoError(t, err)
	assert.Equal(t, `"`+u.String()+`"`, string(text))
}

func FuzzParseToken(f *testing.F) {
	for _, s := range []string{
		"p1_1_mr2gmpm4xx54sepw4ybzpisseq", "s1_10_jxt7pgkvujh6lxcxovtltag4be", "p1_1z141z4_mr2gmpm4xx54sepw4ybzpisseq",
		"p1_1_mr2gmpm4xx54sepw4ybzpisser", "p1_01_mr2gmpm4xx54sepw4ybzpisseq", "p1_1_" + strings.Repeat("a", 52),
		"v1_1_" + strings.Repeat("a", 29), "v1_1_" + strings.Repeat("a", 28), "v1_01_" + strings.Repeat("a", 29), "v1_z_" + strings.Repeat("7", 4000),
		"r1_" + strings.Repeat("a", 26), "r1_" + strings.Repeat("a", 25), "r1_" + strings.Repeat("a", 27), "r1_1_" + strings.Repeat("a", 26),
	} {
		f.Add(s)
	}
	pattern := regexp.MustCompile(TokenPattern)
	patterns := regexp.MustCompile(TokenPattern + "|" + SealedPattern + "|" + RandomPattern)
	f.Fuzz(func(t *testing.T, s string) {
		require.Equal(t, pattern.MatchString(s), matchesToken([]byte(s)), "matcher and pattern differ")
		if _, code := canonical(Bytes([]byte(s))); code == 0 || code == CodeToken {
			require.Equal(t, patterns.MatchString(s), code == CodeToken, "what this package made is no value, all else is")
		}
		token, err := ParseToken(s)
		if err != nil {
			require.Zero(t, token)
			return
		}
		require.Equal(t, s, token.String(), "two spellings of one token")
		require.True(t, matchesToken([]byte(s)), "a token outside the pattern")
		require.NotZero(t, token.Version())
		require.GreaterOrEqual(t, len(token.ID()), MinIDLength)
	})
}
