package wasmabi_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/wasmabi"
)

// empty is a module with one type section without types.
var empty = []byte("\x00asm\x01\x00\x00\x00\x01\x01\x00")

func TestSetAndRead(t *testing.T) {
	none, err := wasmabi.Read(empty, wasmabi.Section)
	require.NoError(t, err)
	assert.Nil(t, none, "a module that was not stamped")
	once, err := wasmabi.Set(empty, wasmabi.Section, []byte("first"))
	require.NoError(t, err)
	twice, err := wasmabi.Set(once, wasmabi.Section, []byte("second"))
	require.NoError(t, err)
	got, err := wasmabi.Read(twice, wasmabi.Section)
	require.NoError(t, err)
	assert.Equal(t, "second", string(got), "the newer stamp replaces the older")
	direct, err := wasmabi.Set(empty, wasmabi.Section, []byte("second"))
	require.NoError(t, err)
	assert.Equal(t, direct, twice, "stamping twice leaves nothing behind")
	other, err := wasmabi.Read(twice, "producers")
	require.NoError(t, err)
	assert.Nil(t, other)
}

func TestNoModule(t *testing.T) {
	whole, err := wasmabi.Set(empty, wasmabi.Section, []byte("payload"))
	require.NoError(t, err)
	for _, bad := range [][]byte{nil, []byte("privet"), empty[:4], whole[:len(whole)-1], append(append([]byte(nil), empty...), 0), append(append([]byte(nil), empty...), 0, 0xff)} {
		_, err := wasmabi.Read(bad, wasmabi.Section)
		assert.ErrorIs(t, err, wasmabi.ErrNotModule)
		_, err = wasmabi.Set(bad, wasmabi.Section, nil)
		assert.ErrorIs(t, err, wasmabi.ErrNotModule)
	}
}

func FuzzRead(f *testing.F) {
	whole, err := wasmabi.Set(empty, wasmabi.Section, []byte("payload"))
	require.NoError(f, err)
	f.Add(whole)
	f.Add(empty)
	f.Fuzz(func(t *testing.T, module []byte) {
		if _, err := wasmabi.Read(module, wasmabi.Section); err != nil {
			return
		}
		stamped, err := wasmabi.Set(module, wasmabi.Section, []byte("x"))
		require.NoError(t, err)
		got, err := wasmabi.Read(stamped, wasmabi.Section)
		require.NoError(t, err)
		require.Equal(t, "x", string(got))
	})
}
