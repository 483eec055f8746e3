package secretfile

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/privacy/pseudonym"
)

// Reading a secret from an open store is two reads of 65 bytes, which tell whether
// another program wrote. A write is two files, each written, synced, renamed, and its
// folder synced; the floor is one such file without any of ours.

func BenchmarkSecret(b *testing.B) {
	s := testStore(b)
	_, err := s.Generate(b.Context(), "contoso")
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		s.Secret(b.Context(), "contoso", 1)
	}
}

// With n persons in the file.
func BenchmarkSubject(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		s := testStore(b)
		_, err := s.Generate(b.Context(), "contoso")
		require.NoError(b, err)
		people, err := pseudonym.NewSubjects(b.Context(), s, s, oneScope, "user.unique_id")
		require.NoError(b, err)
		_, err = people.Subject(b.Context(), pseudonym.Int(0))
		require.NoError(b, err)
		require.NoError(b, s.edit(b.Context(), func(c *content) (effect, error) {
			var m pseudonym.Memory
			secret, err := pseudonym.NewSecret([]byte("an example secret of 32 bytes..."))
			require.NoError(b, err)
			require.NoError(b, m.Add("contoso", 1, secret))
			p, err := pseudonym.New(b.Context(), &m, oneScope)
			require.NoError(b, err)
			for i := range n {
				index, err := p.Token(pseudonym.Int(int64(i)))
				require.NoError(b, err)
				c.rows[rowKey{"contoso", index}] = &row{"contoso", []pseudonym.Token{index}, &[32]byte{1, byte(i)}}
			}
			return addsRows, nil
		}))
		b.Run(fmt.Sprintf("known/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				people.Subject(b.Context(), pseudonym.Int(0))
			}
		})
		b.Run(fmt.Sprintf("new/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			i := int64(1)
			for b.Loop() {
				i++
				people.Subject(b.Context(), pseudonym.Int(i))
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	s := testStore(b)
	for range 10 {
		_, err := s.Generate(b.Context(), "contoso")
		require.NoError(b, err)
	}
	b.ReportAllocs()
	for b.Loop() {
		Open(b.Context(), s.path, testKey(b, 'k'))
	}
}

func BenchmarkImportAndDestroy(b *testing.B) {
	s := testStore(b)
	secret := make([]byte, 32)
	secret[0] = 1
	b.ReportAllocs()
	v := uint32(0)
	for b.Loop() {
		if v++; v%100 == 0 {
			b.StopTimer()
			s = testStore(b)
			b.StartTimer()
		}
		if err := s.Import(b.Context(), "contoso", v, secret); err != nil {
			b.Fatal(err)
		}
		if err := s.Destroy(b.Context(), "contoso", v, because); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFloorDurableFile(b *testing.B) {
	path := filepath.Join(b.TempDir(), "f")
	data := make([]byte, 1000)
	for b.Loop() {
		f, err := os.Create(path + ".tmp")
		require.NoError(b, err)
		f.Write(data)
		f.Sync()
		f.Close()
		os.Rename(path+".tmp", path)
		(disk{}).syncDir(path)
	}
}
