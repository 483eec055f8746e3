package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func sealed(t testing.TB) (content, data []byte, s *Signature) {
	t.Helper()
	content, err := new(Bundle).Encode()
	require.NoError(t, err)
	s = new(Signature)
	for i := range s.Key {
		s.Key[i] = byte(i + 1)
	}
	for i := range s.Value {
		s.Value[i] = byte(i + 101)
	}
	return content, Seal(content, s), s
}

func TestEnvelope(t *testing.T) {
	content, data, s := sealed(t)
	require.Len(t, data, len(content)+SignedExtra)
	gotContent, gotSignature, err := Split(data)
	require.NoError(t, err)
	assert.Equal(t, content, gotContent)
	assert.Equal(t, s, gotSignature)
	b, err := Decode(data)
	require.NoError(t, err, "a reader that pins no key reads it")
	assert.Equal(t, new(Bundle), b)

	gotContent, gotSignature, err = Split(content)
	require.NoError(t, err)
	assert.Equal(t, content, gotContent)
	assert.Nil(t, gotSignature)
}

// resum makes the checksum of an envelope right again.
func resum(data []byte) []byte {
	data = bytes.Clone(data)
	sum := sha256.Sum256(data[:len(data)-sha256.Size])
	copy(data[len(data)-sha256.Size:], sum[:])
	return data
}

func TestEnvelopeRefusals(t *testing.T) {
	content, data, s := sealed(t)
	with := func(at int, v byte) []byte {
		c := bytes.Clone(data)
		c[at] = v
		return c
	}
	twice := Seal(content, s)
	twice = Seal(twice, s)
	binary.BigEndian.PutUint32(twice[12:], uint32(len(twice)-SignedExtra))
	for _, tt := range []struct {
		name   string
		data   []byte
		want   error
		reason string
	}{
		{"head only", data[:header], ErrTruncated, "cut after the head"},
		{"no signature", data[:header+len(content)], ErrTruncated, "cut after the content"},
		{"last byte", data[:len(data)-1], ErrTruncated, "cut in the checksum"},
		{"a byte more", append(bytes.Clone(data), 0), ErrCorrupt, "something was added"},
		{"flipped signature", with(len(data)-40, data[len(data)-40]^1), ErrCorrupt, "the checksum shows it, also to those who do not check signatures"},
		{"flipped content, mended outside", resum(with(header+20, data[header+20]^1)), ErrCorrupt, "the content has a checksum of its own"},
		{"newer profile", with(11, 99), ErrNewer, "told before anything else is looked at"},
		{"newer profile inside", resum(with(header+11, 99)), ErrCorrupt, "the two heads say the same"},
		{"format of an envelope inside", resum(with(header+9, FormatSigned)), ErrCorrupt, "an envelope holds a bundle"},
		{"no bundle inside", resum(with(header+1, 'R')), ErrCorrupt, "an envelope holds a bundle"},
		{"envelope in an envelope", resum(twice), ErrCorrupt, "one bundle has one spelling"},
		{"newer format", with(9, newest+1), ErrNewer, "what it means is not known here"},
		{"shorter than it says", resum(data[:len(data)-4]), ErrTruncated, "a right checksum over too little"},
		{"content without body", Seal(content[:header], s), ErrTruncated, "the bundle inside is cut short"},
		{"empty content", empty(s), ErrCorrupt, "nothing to vouch for"},
		{"huge", append(bytes.Clone(data), make([]byte, maxBundle+SignedExtra)...), ErrTooLarge, "bounded"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode(tt.data)
			require.ErrorIs(t, err, tt.want, tt.reason)
		})
	}
	for i := range data {
		_, err := Decode(data[:i])
		require.Error(t, err, "cut at byte %d", i)
		_, err = Decode(with(i, data[i]^0x10))
		require.Error(t, err, "flipped byte %d", i)
	}
}

// empty is a whole envelope around nothing.
func empty(s *Signature) []byte {
	head := []byte(magic + "\x00\x02\x00\x01\x00\x00\x00\x00")
	data := Seal(head, s)
	data = append(data[:header:header], data[2*header:]...)
	binary.BigEndian.PutUint32(data[12:], 0)
	return resum(data)
}

// The largest bundle can be signed, and is read.
func TestLargestEnvelope(t *testing.T) {
	b := &Bundle{Name: string(bytes.Repeat([]byte{'x'}, maxBundle-header-sha256.Size-64))}
	content, err := b.Encode()
	require.NoError(t, err)
	_, err = Decode(Seal(content, new(Signature)))
	require.NoError(t, err)
}

// FuzzSplit: no bytes make the reader of envelopes fail, also ones with right
// checksums, and what is accepted is sealed again as it was.
func FuzzSplit(f *testing.F) {
	content, data, _ := sealed(f)
	f.Add(data, false)
	f.Add(content, false)
	f.Add(data[:len(data)-sha256.Size], true)
	f.Add(Seal(sample(f), new(Signature)), false)
	f.Fuzz(func(t *testing.T, data []byte, mend bool) {
		if mend && len(data) >= header {
			data = bytes.Clone(data)
			copy(data, magic)
			binary.BigEndian.PutUint16(data[8:], FormatSigned)
			binary.BigEndian.PutUint32(data[12:], uint32(max(0, len(data)-header-keySize-signatureSize)))
			sum := sha256.Sum256(data)
			data = append(data, sum[:]...)
		}
		content, s, err := Split(data)
		if err != nil {
			require.Nil(t, content)
			_, again := Decode(data)
			require.ErrorIs(t, again, err, "who opens an envelope says what is wrong with it")
			return
		}
		if s == nil {
			require.Equal(t, data, content)
			return
		}
		require.Equal(t, data, Seal(content, s), "one signed bundle has one spelling")
		inner, innerErr := Decode(content)
		outer, err := Decode(data)
		require.Equal(t, innerErr, err, "an envelope changes nothing")
		require.Equal(t, inner, outer)
	})
}

// The parts name every section and leave no byte out.
func TestParts(t *testing.T) {
	data := sample(t)
	b, err := Decode(data)
	require.NoError(t, err)
	sum, lists := 0, 0
	seen := map[string]bool{}
	for _, p := range b.Parts() {
		assert.Positive(t, p.Bytes, p.Name)
		assert.False(t, seen[p.Name], p.Name)
		seen[p.Name] = true
		sum += p.Bytes
		if p.Items > 0 {
			lists++
			assert.Equal(t, 2, p.Items, p.Name)
		}
	}
	assert.Equal(t, len(data), sum)
	count := 0
	for _, v := range []reflect.Type{reflect.TypeFor[Bundle](), reflect.TypeFor[Classification]()} {
		for i := range v.NumField() {
			if v.Field(i).Type.Kind() == reflect.Slice {
				count++
			}
		}
	}
	const tables = 2 // ages and regimes count their rules
	assert.Equal(t, count+tables, lists, "each list of a bundle is a part")
}
