package secretfile

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/privacy/pseudonym"
)

func drawDestruction(t *rapid.T) pseudonym.Destruction {
	times := rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "zero") {
			return time.Time{}
		}
		return time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC()
	})
	return pseudonym.Destruction{
		At: times.Draw(t, "at"), Copies: times.Draw(t, "copies"),
		Actor: rapid.StringN(0, 20, 80).Draw(t, "actor"), Reason: rapid.StringN(0, 20, 80).Draw(t, "reason"),
	}
}

func drawContent(t *rapid.T) *content {
	c := newContent()
	c.seenTombs = rapid.Uint64().Draw(t, "seen")
	tenant := rapid.StringN(1, 20, 80)
	secret := func() *[32]byte {
		b := [32]byte(rapid.SliceOfN(rapid.ByteMin(1), 32, 32).Draw(t, "secret"))
		return &b
	}
	for range rapid.IntRange(0, 5).Draw(t, "secrets") {
		c.secrets[versionKey{tenant.Draw(t, "tenant"), rapid.Uint32Min(1).Draw(t, "version")}] = secret()
	}
	for range rapid.IntRange(0, 5).Draw(t, "issued") {
		i := &issue{state: pseudonym.State(rapid.IntRange(1, 3).Draw(t, "state")), d: drawDestruction(t)}
		copy(i.check[:], secret()[:])
		c.issued[versionKey{tenant.Draw(t, "tenant"), rapid.Uint32Min(1).Draw(t, "version")}] = i
	}
	next := int64(0)
	index := func() (out []pseudonym.Token) {
		for range rapid.IntRange(1, 3).Draw(t, "tokens") {
			next++
			out = append(out, someIndex[next])
		}
		return out
	}
	for range rapid.IntRange(0, 3).Draw(t, "rows") {
		r := &row{tenant.Draw(t, "tenant"), index(), secret()}
		for _, x := range r.index {
			c.rows[rowKey{r.tenant, x}] = r
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "tombs") {
		e := &tomb{tenant: tenant.Draw(t, "tenant"), index: index(), d: drawDestruction(t)}
		for _, x := range e.index {
			c.dead[rowKey{e.tenant, x}] = e
		}
	}
	return c
}

var someIndex = map[int64]pseudonym.Token{}

func TestContentRoundTrip(t *testing.T) {
	for id := range int64(20) {
		someIndex[id] = indexOf(t, id)
	}
	rapid.Check(t, func(t *rapid.T) {
		c := drawContent(t)
		main, tombs := c.encodeSecrets(), c.encodeTombs()
		d := newContent()
		require.True(t, d.decodeSecrets(main))
		require.True(t, d.decodeTombs(tombs))
		require.Equal(t, c.secrets, d.secrets)
		require.Equal(t, c.rows, d.rows)
		require.Equal(t, c.issued, d.issued)
		require.Equal(t, c.dead, d.dead)
		require.Equal(t, main, d.encodeSecrets(), "the bytes do not depend on the order of a map")
		require.Equal(t, tombs, d.encodeTombs())
		for _, text := range [][]byte{main, tombs} {
			cut := rapid.IntRange(0, len(text)-1).Draw(t, "cut")
			require.False(t, newContent().decodeSecrets(main[:min(cut, len(main)-1)]))
			require.False(t, newContent().decodeTombs(tombs[:min(cut, len(tombs)-1)]))
		}
		require.False(t, newContent().decodeSecrets(append(main, 0)))
		require.False(t, newContent().decodeTombs(append(tombs, 0)))
	})
}

// Whatever is decoded is encoded to the same meaning, and nothing of it makes a panic
// or takes more memory than it has bytes for.
func FuzzContent(f *testing.F) {
	c := newContent()
	f.Add(c.encodeSecrets())
	f.Add(c.encodeTombs())
	c.add(versionKey{"contoso", 1}, &[32]byte{1})
	index := indexOf(f, 1)
	r := &row{"contoso", []pseudonym.Token{index}, &[32]byte{2}}
	c.rows[rowKey{"contoso", index}] = r
	e := &tomb{tenant: "fabrikam", index: []pseudonym.Token{index}, d: because}
	c.dead[rowKey{"fabrikam", index}] = e
	f.Add(c.encodeSecrets())
	f.Add(c.encodeTombs())
	f.Fuzz(func(t *testing.T, data []byte) {
		if c := newContent(); c.decodeSecrets(data) {
			d := newContent()
			require.True(t, d.decodeSecrets(c.encodeSecrets()))
			require.Equal(t, c, d)
			c.bury()
		}
		if c := newContent(); c.decodeTombs(data) {
			d := newContent()
			require.True(t, d.decodeTombs(c.encodeTombs()))
			require.Equal(t, c, d)
		}
	})
}

// A file that was not sealed with the key is never read, whatever it is.
func FuzzFile(f *testing.F) {
	k := newDataKey()
	for _, kind := range []byte{kindSecrets, kindTombs} {
		e := envelope{kind: kind, generation: 3, wrapped: []byte("wrapped")}
		whole, err := e.seal(k, []byte("content"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(whole)
		f.Add(whole[:headSize+2])
	}
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, kind := range []byte{kindSecrets, kindTombs} {
			e, header, sealed, err := parse("path", data, kind)
			if err != nil {
				continue
			}
			require.Equal(t, data, append(bytes.Clone(header), sealed...))
			if _, err = e.unseal("path", newDataKey(), header, sealed); err == nil {
				t.Fatal("opened with a key that nobody used")
			}
		}
	})
}
