package fragile

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What was synced is there after every reboot, under its name if that was synced too;
// what was not is lost, whole and torn, some time.
func TestReboot(t *testing.T) {
	lost, torn, whole, nameless := 0, 0, 0, 0
	for seed := range uint64(200) {
		f := New(seed)
		w, err := f.Create("d/a")
		require.NoError(t, err)
		_, err = w.Write([]byte("synced"))
		require.NoError(t, err)
		require.NoError(t, w.Sync())
		require.NoError(t, f.SyncDir())
		other, err := f.Create("d/b")
		require.NoError(t, err)
		require.NoError(t, other.Sync())
		_, err = w.WriteAt([]byte(" and more of it"), 6)
		require.NoError(t, err)
		assert.Equal(t, []string{"a", "b"}, f.Names("d"))
		f.Reboot()
		got := f.Get("d/a")
		require.True(t, bytes.HasPrefix(got, []byte("synced")), "seed %d: %q", seed, got)
		switch len(got) {
		case 6:
			lost++
		case 21:
			whole++
		default:
			torn++
		}
		if f.Get("d/b") == nil {
			nameless++
		}
	}
	for what, n := range map[string]int{"lost": lost, "torn": torn, "whole": whole, "nameless": nameless} {
		assert.Greater(t, n, 5, what)
	}
}

func TestNothingWorksAfterThePowerFailed(t *testing.T) {
	f := New(1)
	w, err := f.Create("a")
	require.NoError(t, err)
	f.FailAt = 1
	n, err := w.Write([]byte("0123456789"))
	require.ErrorIs(t, err, ErrPower)
	assert.LessOrEqual(t, n, 10)
	assert.True(t, f.Off())
	for what, call := range map[string]func() error{
		"write":    func() error { _, err := w.WriteAt([]byte("x"), 0); return err },
		"read":     func() error { _, err := w.ReadAt(make([]byte, 1), 0); return err },
		"size":     func() error { _, err := w.Size(); return err },
		"sync":     w.Sync,
		"close":    w.Close,
		"cut":      func() error { return w.Truncate(0) },
		"open":     func() error { _, err := f.Open("a"); return err },
		"create":   func() error { _, err := f.Create("b"); return err },
		"rename":   func() error { return f.Rename("a", "b") },
		"remove":   func() error { return f.Remove("a") },
		"sync dir": f.SyncDir,
	} {
		require.ErrorIs(t, call(), ErrPower, what)
	}
	f.Reboot()
	require.NoError(t, f.Up())
}

func TestReadAt(t *testing.T) {
	f := New(1)
	f.Put("a", []byte("0123"))
	w, err := f.Open("a")
	require.NoError(t, err)
	b := make([]byte, 3)
	n, err := w.ReadAt(b, 2)
	assert.Equal(t, 2, n)
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, w.Truncate(1))
	_, err = w.WriteAt([]byte("z"), 3)
	require.NoError(t, err)
	assert.Equal(t, []byte("0\x00\x00z"), f.Get("a"))
	size, err := w.Size()
	require.NoError(t, err)
	assert.EqualValues(t, 4, size)
	require.NoError(t, f.Rename("a", "b"))
	require.NoError(t, f.Remove("b"))
	assert.Empty(t, f.Names("."))
}
