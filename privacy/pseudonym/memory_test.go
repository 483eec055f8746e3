package pseudonym

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// counting is a source of bytes that are not random but differ.
type counting byte

func (c *counting) Read(b []byte) (int, error) {
	for i := range b {
		*c++
		b[i] = byte(*c)
	}
	return len(b), nil
}

func TestMemory(t *testing.T) {
	ctx := t.Context()
	var m Memory
	_, err := m.Versions(ctx, "contoso")
	require.ErrorIs(t, err, ErrUnknown)
	_, err = m.Secret(ctx, "contoso", 1)
	require.ErrorIs(t, err, ErrUnknown)
	require.ErrorIs(t, m.Destroy(ctx, "contoso", 1, Destruction{}), ErrUnknown)

	a, b := testSecret(t, 'a'), testSecret(t, 'b')
	require.NoError(t, m.Add("contoso", 7, a))
	require.ErrorIs(t, m.Add("contoso", 7, b), ErrExists, "stored tokens would change their meaning")
	got, err := m.Secret(ctx, "contoso", 7)
	require.NoError(t, err)
	assert.Equal(t, a, got)
	require.ErrorIs(t, m.Add("contoso", 0, a), ErrScope)
	require.ErrorIs(t, m.Add("", 1, a), ErrScope)
	require.ErrorIs(t, m.Add("contoso", 1, Secret{}), ErrSecret)

	v, err := m.Generate("contoso", new(counting))
	require.NoError(t, err)
	assert.Equal(t, uint32(8), v, "one above the highest")
	require.NoError(t, m.Add("contoso", 2, b), "an older version may be brought in")
	vs, err := m.Versions(ctx, "contoso")
	require.NoError(t, err)
	assert.Equal(t, []uint32{8, 7, 2}, vs)
	_, err = m.Versions(ctx, "fabrikam")
	require.ErrorIs(t, err, ErrUnknown, "tenants share nothing")
}

func TestDestroyedStaysDestroyed(t *testing.T) {
	ctx := t.Context()
	m := testStore(t, 2)
	first := Destruction{At: time.Date(2026, 3, 28, 10, 0, 0, 0, time.UTC), Actor: "ops", Reason: "offboarding"}
	require.NoError(t, m.Destroy(ctx, "contoso", 2, first))
	require.NoError(t, m.Destroy(ctx, "contoso", 2, Destruction{Actor: "other"}), "destroying twice is no error")
	got, ok := m.Destroyed("contoso", 2)
	assert.True(t, ok)
	assert.Equal(t, first, got, "the first tombstone stays")
	_, ok = m.Destroyed("contoso", 1)
	assert.False(t, ok)
	_, ok = m.Destroyed("fabrikam", 1)
	assert.False(t, ok)

	_, err := m.Secret(ctx, "contoso", 2)
	require.ErrorIs(t, err, ErrDestroyed)
	require.ErrorIs(t, m.Add("contoso", 2, testSecret(t, 'z')), ErrDestroyed, "a destroyed version never gets a secret again")
	require.ErrorIs(t, m.Add("contoso", 2, testSecret(t, 'c')), ErrDestroyed, "not even its own, from a backup")
	v, err := m.Generate("contoso", new(counting))
	require.NoError(t, err)
	assert.Equal(t, uint32(3), v, "the number is not used again")

	require.NoError(t, m.Destroy(ctx, "contoso", 1, first))
	require.NoError(t, m.Destroy(ctx, "contoso", 3, first))
	_, err = m.Versions(ctx, "contoso")
	require.ErrorIs(t, err, ErrDestroyed)
	_, err = New(ctx, m, testScope)
	require.ErrorIs(t, err, ErrDestroyed)
	var store *StoreError
	require.ErrorAs(t, err, &store)
}

func TestGenerateFailures(t *testing.T) {
	var m Memory
	broken := errors.New("broken")
	for _, tt := range []struct {
		random io.Reader
		is     error
		reason string
	}{
		{nil, ErrSecret, "no source: this package has none of its own"},
		{strings.NewReader("short"), io.ErrUnexpectedEOF, "31 bytes must not pass as 32"},
		{iotest.ErrReader(broken), broken, "the cause can be unwrapped"},
		{strings.NewReader(strings.Repeat("\x00", 32)), ErrSecret, "zeros are not random"},
	} {
		_, err := m.Generate("contoso", tt.random)
		require.ErrorIs(t, err, ErrSecret)
		require.ErrorIs(t, err, tt.is, tt.reason)
	}
	_, err := m.Versions(t.Context(), "contoso")
	require.ErrorIs(t, err, ErrUnknown, "a failure leaves nothing behind")
	_, err = m.Generate("", new(counting))
	require.ErrorIs(t, err, ErrScope)
	require.NoError(t, m.Add("contoso", math.MaxUint32, testSecret(t, 'a')))
	_, err = m.Generate("contoso", new(counting))
	require.ErrorIs(t, err, ErrScope, "no version is left")
}

func TestDevelopmentStore(t *testing.T) {
	ctx := t.Context()
	m := NewDevelopmentStore(new(counting))
	token := func(tenant string) Token {
		p, err := New(ctx, m, Scope{tenant, "p", "c"})
		require.NoError(t, err)
		got, err := p.Token(Int(1))
		require.NoError(t, err)
		return got
	}
	assert.Equal(t, token("contoso"), token("contoso"), "joins within one run")
	assert.NotEqual(t, token("contoso"), token("fabrikam"))
	require.NoError(t, m.Destroy(ctx, "contoso", 1, Destruction{}))
	_, err := New(ctx, m, Scope{"contoso", "p", "c"})
	require.ErrorIs(t, err, ErrDestroyed, "destroyed is destroyed, in development too")
	_, err = m.Versions(ctx, "")
	require.ErrorIs(t, err, ErrScope)

	for i := len(m.tenants); i < maxDevelopmentTenants; i++ {
		_, err = m.Versions(ctx, fmt.Sprint("tenant ", i))
		require.NoError(t, err)
	}
	_, err = m.Versions(ctx, "one more")
	require.ErrorIs(t, err, ErrUnknown, "tenants in hostile input must not fill the memory")

	_, err = New(ctx, NewDevelopmentStore(strings.NewReader("")), testScope)
	require.ErrorIs(t, err, ErrSecret)
}

func TestMemoryConcurrentUse(t *testing.T) {
	m := NewDevelopmentStore(new(counting))
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 50 {
				tenant := fmt.Sprint("tenant ", i%5)
				_, err := New(t.Context(), m, Scope{tenant, "p", "c"})
				if err != nil && !errors.Is(err, ErrDestroyed) {
					assert.NoError(t, err)
				}
				if worker == 0 {
					_, err := m.Generate(tenant, new(counting))
					assert.NoError(t, err)
				}
				if worker == 1 {
					err := m.Destroy(t.Context(), tenant, uint32(i/5+1), Destruction{})
					assert.True(t, err == nil || errors.Is(err, ErrUnknown))
				}
			}
		})
	}
	wg.Wait()
}
