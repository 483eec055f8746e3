package pseudonym

import (
	"bytes"
	"crypto/aes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The vectors of Project Wycheproof, run on what is not exported: the MAC of tokens,
// the derivation of keys, AES-CMAC, AES-SIV and FF1. The files are large and belong
// to a module of their own, internal/wycheproof, whose test unpacks them, sets this
// variable, runs these tests and compares the counts they print with the files.
const wycheproofVariable = "PRIVET_WYCHEPROOF"

type wycheproofFile struct {
	NumberOfTests int
	TestGroups    []wycheproofGroup
}

type wycheproofGroup struct {
	Radix    int
	TagSize  int
	Alphabet string
	Tests    []wycheproofTest
}

type wycheproofTest struct {
	TcID                                                    int
	Key, IV, AAD, CT, Tag, Msg, IKM, Salt, Info, OKM, Tweak hexBytes
	RawMsg, RawCT                                           json.RawMessage
	Size                                                    int
	Result                                                  string
}

// hexBytes is hexadecimal; text that is not is left to the raw fields.
type hexBytes []byte

func (h *hexBytes) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*h, _ = hex.DecodeString(s)
	}
	return nil
}

func (w *wycheproofTest) UnmarshalJSON(b []byte) error {
	type plain wycheproofTest
	if err := json.Unmarshal(b, (*plain)(w)); err != nil {
		return err
	}
	var raw struct{ Msg, CT json.RawMessage }
	err := json.Unmarshal(b, &raw)
	w.RawMsg, w.RawCT = raw.Msg, raw.CT
	return err
}

// eachWycheproof runs every test of a file and prints how many passed. The function
// says what is wrong, "" for nothing.
func eachWycheproof(t *testing.T, name string, run func(g *wycheproofGroup, w *wycheproofTest) string) {
	t.Helper()
	dir := os.Getenv(wycheproofVariable)
	if dir == "" {
		t.Skip("the vectors are in the module internal/wycheproof: run `go test -v .` there")
	}
	text, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	var file wycheproofFile
	require.NoError(t, json.Unmarshal(text, &file))
	passed, count := 0, 0
	for i := range file.TestGroups {
		g := &file.TestGroups[i]
		for j := range g.Tests {
			w := &g.Tests[j]
			require.Contains(t, []string{"valid", "invalid"}, w.Result, "a result this test does not know")
			count++
			if problem := run(g, w); problem == "" {
				passed++
			} else {
				t.Errorf("%s: case %d (%s): %s", name, w.TcID, w.Result, problem)
			}
		}
	}
	assert.Equal(t, file.NumberOfTests, count)
	require.NotZero(t, count)
	fmt.Printf("wycheproof %s: %d passed of %d run\n", name, passed, count)
}

func TestWycheproofHMAC(t *testing.T) {
	eachWycheproof(t, "hmac_sha256_test.json", func(g *wycheproofGroup, w *wycheproofTest) string {
		k := readyKey(w.Key, suiteP1, 1)
		st := k.pool.Get().(*macState)
		st.msg = append(st.msg[:0], w.Msg...)
		st.authenticate()
		if bytes.Equal(st.sum[:g.TagSize/8], w.Tag) != (w.Result == "valid") {
			return "wrong MAC"
		}
		return ""
	})
}

func TestWycheproofHKDF(t *testing.T) {
	eachWycheproof(t, "hkdf_sha256_test.json", func(_ *wycheproofGroup, w *wycheproofTest) string {
		key, err := hkdf.Key(sha256.New, w.IKM, w.Salt, string(w.Info), w.Size)
		if (err == nil && bytes.Equal(key, w.OKM)) != (w.Result == "valid") {
			return "wrong key"
		}
		return ""
	})
}

func TestWycheproofCMAC(t *testing.T) {
	eachWycheproof(t, "aes_cmac_test.json", func(g *wycheproofGroup, w *wycheproofTest) string {
		block, err := aes.NewCipher(w.Key)
		if err != nil {
			if w.Result == "valid" {
				return "key refused"
			}
			return ""
		}
		var mac [16]byte
		newCMAC(block).sum(new(scratch), w.Msg).store(mac[:])
		if bytes.Equal(mac[:g.TagSize/8], w.Tag) != (w.Result == "valid") {
			return "wrong MAC"
		}
		return ""
	})
}

// checkSIV asks that a valid case encrypts to its ciphertext and decrypts, and that
// an invalid one does not decrypt.
func checkSIV(w *wycheproofTest, iv, ct []byte, associated ...[]byte) string {
	v, err := newSIV(w.Key)
	if err != nil {
		return "key refused"
	}
	if len(iv) != sivSize {
		return "no synthetic IV"
	}
	s := new(scratch)
	d := v.start(s, associated...)
	if w.Result == "valid" {
		b := slices.Clone([]byte(w.Msg))
		var got [16]byte
		v.seal(s, d, b).store(got[:])
		if !bytes.Equal(got[:], iv) || !bytes.Equal(b, ct) {
			return "wrong ciphertext"
		}
	}
	b := slices.Clone(ct)
	if v.open(s, d, loadBlock(iv), b) != (w.Result == "valid") {
		return "opened, or not"
	}
	if w.Result == "valid" && !bytes.Equal(b, w.Msg) {
		return "wrong plaintext"
	}
	return ""
}

func TestWycheproofSIV(t *testing.T) {
	eachWycheproof(t, "aes_siv_cmac_test.json", func(_ *wycheproofGroup, w *wycheproofTest) string {
		if len(w.CT) < sivSize {
			if w.Result == "valid" {
				return "too short"
			}
			return ""
		}
		return checkSIV(w, w.CT[:sivSize], w.CT[sivSize:], w.AAD)
	})
	eachWycheproof(t, "aead_aes_siv_cmac_test.json", func(_ *wycheproofGroup, w *wycheproofTest) string {
		return checkSIV(w, w.Tag, w.CT, w.AAD, w.IV)
	})
}

// checkFF1 takes the digits as numbers, -1 for what is no digit.
func checkFF1(t *testing.T, r *ff1Radix, w *wycheproofTest, msg, ct []int) (problem string, belowFloor bool) {
	t.Helper()
	toDigits := func(numbers []int) (digits []uint16, ok bool) {
		for _, n := range numbers {
			if n < 0 || n >= int(r.radix) {
				return nil, false
			}
			digits = append(digits, uint16(n))
		}
		return digits, true
	}
	block, keyErr := aes.NewCipher(w.Key)
	plain, ok := toDigits(msg)
	if w.Result == "invalid" {
		if keyErr == nil && ok && r.fits(len(msg)) {
			return "not refused", false
		}
		return "", false
	}
	if keyErr != nil || !ok {
		return "refused", false
	}
	want, ok := toDigits(ct)
	if !ok || len(want) != len(plain) {
		return "not understood", false
	}
	f, s := ff1{r, block}, new(scratch)
	for name, crypt := range map[string]func(*scratch, []uint16, []byte, bool){"chosen": f.crypt, "big": f.cryptBig} {
		x := slices.Clone(plain)
		crypt(s, x, w.Tweak, false)
		if !slices.Equal(x, want) {
			return "wrong ciphertext, " + name, false
		}
		crypt(s, x, w.Tweak, true)
		if !slices.Equal(x, plain) {
			return "wrong plaintext, " + name, false
		}
	}
	return "", !r.fits(len(plain))
}

func TestWycheproofFF1(t *testing.T) {
	below := 0
	run := func(name string, read func(g *wycheproofGroup, raw json.RawMessage) []int) {
		radices := map[int]*ff1Radix{}
		eachWycheproof(t, name, func(g *wycheproofGroup, w *wycheproofTest) string {
			r := radices[g.Radix]
			if r == nil {
				r = newFF1Radix(g.Radix)
				require.NotNil(t, r, "radix %d", g.Radix)
				radices[g.Radix] = r
			}
			problem, belowFloor := checkFF1(t, r, w, read(g, w.RawMsg), read(g, w.RawCT))
			if belowFloor {
				below++
			}
			return problem
		})
	}
	for _, radix := range []int{10, 16, 26, 32, 36, 45, 62, 64, 85, 255, 256, 65535, 65536} {
		run(fmt.Sprintf("aes_ff1_radix%d_test.json", radix), func(_ *wycheproofGroup, raw json.RawMessage) (x []int) {
			require.NoError(t, json.Unmarshal(raw, &x))
			return x
		})
	}
	for _, radix := range []int{10, 16, 26, 32, 36, 45, 62, 64, 85} {
		run(fmt.Sprintf("aes_ff1_base%d_test.json", radix), func(g *wycheproofGroup, raw json.RawMessage) (x []int) {
			var s string
			require.NoError(t, json.Unmarshal(raw, &s))
			require.Len(t, g.Alphabet, g.Radix)
			for _, c := range s {
				x = append(x, strings.IndexRune(g.Alphabet, c))
			}
			return x
		})
	}
	require.NotZero(t, below, "nothing tested the floor")
	fmt.Printf("of the FF1 cases, %d have a domain below a million: the cipher agrees with them, and Encipher refuses their length\n", below)
}
