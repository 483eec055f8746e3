package pseudonym

import (
	"bytes"
	"crypto/rand"
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRandomToken(t *testing.T) {
	pattern := regexp.MustCompile(RandomPattern)
	seen := map[string]bool{}
	for range 1000 {
		s, class, err := RandomToken(rand.Reader)
		require.NoError(t, err)
		require.Regexp(t, pattern, s)
		require.NotRegexp(t, TokenPattern, s)
		require.NotRegexp(t, SealedPattern, s)
		require.Equal(t, Class{Linkability: Unlinkable, Loss: LossTotal}, class)
		require.False(t, seen[s], "twice")
		seen[s] = true
	}
	s, _, err := RandomToken(iotest.OneByteReader(strings.NewReader("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f")))
	require.NoError(t, err)
	assert.Equal(t, "r1_aaaqeayeaudaocajbifqydiob4", s, "RFC 4648 in lower case; a source may give less than is asked for")

	broken := errors.New("broken")
	_, class, err := RandomToken(iotest.ErrReader(broken))
	require.ErrorIs(t, err, ErrOption)
	require.ErrorIs(t, err, broken)
	assert.Zero(t, class, "nothing is claimed of what is not there")
	for _, short := range []string{"", "123456789012345"} {
		s, _, err := RandomToken(strings.NewReader(short))
		require.ErrorIs(t, err, ErrOption)
		assert.Empty(t, s, "a source that ends")
	}
	s, _, err = RandomToken(nil)
	require.ErrorIs(t, err, ErrOption)
	assert.Empty(t, s)
	s, _, err = RandomToken(bytes.NewReader(make([]byte, 16)))
	require.ErrorIs(t, err, ErrOption)
	assert.Empty(t, s, "zeros only")
}
