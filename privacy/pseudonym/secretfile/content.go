package secretfile

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/privetdev/privet/privacy/pseudonym"
)

// A versionKey names a secret.
type versionKey struct {
	tenant  string
	version uint32
}

// A rowKey names a subject by one of its index tokens.
type rowKey struct {
	tenant string
	index  pseudonym.Token
}

// A content is what both files say. Its entries are never changed in place, so a
// shallow copy is a copy. Secrets are behind pointers in a struct behind a pointer:
// package fmt does not reach them.
type content struct {
	id         [idSize]byte
	mainGen    uint64 // generation of the file of secrets
	tombGen    uint64 // of the file of tombstones
	seenTombs  uint64 // generation of the tombstones when the secrets were written
	wrapped    []byte
	key        dataKey
	heads      [2]string // first bytes of both files: equal as long as they are not written
	tombIsPast bool      // the tombstones lack a record of a secret

	secrets map[versionKey]*[pseudonym.SecretSize]byte
	rows    map[rowKey]*row
	issued  map[versionKey]*issue
	dead    map[rowKey]*tomb
}

// A row is a subject's secret, shared by its index tokens.
type row struct {
	tenant string
	index  []pseudonym.Token
	secret *[pseudonym.SecretSize]byte
}

// An issue is the record of a version that was made.
type issue struct {
	check pseudonym.Check
	state pseudonym.State // live, pending or destroyed
	until time.Time
	d     pseudonym.Destruction
}

// A tomb is the record of a subject that was erased.
type tomb struct {
	tenant string
	index  []pseudonym.Token
	check  pseudonym.Check
	d      pseudonym.Destruction
}

func newContent() *content {
	return &content{
		secrets: map[versionKey]*[pseudonym.SecretSize]byte{}, rows: map[rowKey]*row{},
		issued: map[versionKey]*issue{}, dead: map[rowKey]*tomb{},
	}
}

func (c *content) clone() *content {
	d := *c
	d.secrets, d.rows, d.issued, d.dead = maps.Clone(c.secrets), maps.Clone(c.rows), maps.Clone(c.issued), maps.Clone(c.dead)
	return &d
}

func compareKeys(a, b versionKey) int {
	return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.version, b.version))
}

func versionsOf[T any](m map[versionKey]T) []versionKey {
	return slices.SortedFunc(maps.Keys(m), compareKeys)
}

// rowsOf returns each entry once, in an order that does not depend on the map.
func rowsOf[T any](m map[rowKey]*T, index func(*T) []pseudonym.Token) []*T {
	keys := slices.SortedFunc(maps.Keys(m), func(a, b rowKey) int {
		return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.index.Version(), b.index.Version()), bytes.Compare(a.index.ID(), b.index.ID()))
	})
	var out []*T
	seen := map[*T]bool{}
	for _, k := range keys {
		if e := m[k]; !seen[e] {
			seen[e] = true
			out = append(out, e)
		}
	}
	return out
}

func (r *row) tokens() []pseudonym.Token  { return r.index }
func (t *tomb) tokens() []pseudonym.Token { return t.index }

// encodeSecrets is the content of the file of secrets.
func (c *content) encodeSecrets() []byte {
	b := binary.BigEndian.AppendUint64(nil, c.seenTombs)
	keys := versionsOf(c.secrets)
	b = binary.BigEndian.AppendUint32(b, uint32(len(keys)))
	for _, k := range keys {
		b = appendText(b, k.tenant)
		b = binary.BigEndian.AppendUint32(b, k.version)
		b = append(b, c.secrets[k][:]...)
	}
	rows := rowsOf(c.rows, (*row).tokens)
	b = binary.BigEndian.AppendUint32(b, uint32(len(rows)))
	for _, r := range rows {
		b = appendText(b, r.tenant)
		b = appendIndex(b, r.index)
		b = append(b, r.secret[:]...)
	}
	return b
}

// encodeTombs is the content of the file of tombstones.
func (c *content) encodeTombs() []byte {
	keys := versionsOf(c.issued)
	b := binary.BigEndian.AppendUint32(nil, uint32(len(keys)))
	for _, k := range keys {
		i := c.issued[k]
		b = appendText(b, k.tenant)
		b = binary.BigEndian.AppendUint32(b, k.version)
		b = append(b, i.check[:]...)
		b = append(b, byte(i.state))
		b = appendTime(b, i.until)
		b = appendDestruction(b, i.d)
	}
	tombs := rowsOf(c.dead, (*tomb).tokens)
	b = binary.BigEndian.AppendUint32(b, uint32(len(tombs)))
	for _, t := range tombs {
		b = appendText(b, t.tenant)
		b = appendIndex(b, t.index)
		b = append(b, t.check[:]...)
		b = appendDestruction(b, t.d)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

func appendIndex(b []byte, index []pseudonym.Token) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(index)))
	for _, t := range index {
		b = appendText(b, t.String())
	}
	return b
}

// appendTime writes seconds since 1970 and nanoseconds: the zero Time survives.
func appendTime(b []byte, t time.Time) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(t.Unix()))
	return binary.BigEndian.AppendUint32(b, uint32(t.Nanosecond()))
}

func appendDestruction(b []byte, d pseudonym.Destruction) []byte {
	return appendText(appendText(appendTime(appendTime(b, d.At), d.Copies), d.Actor), d.Reason)
}

// A reader takes content apart. After the first fault everything is zero.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n > len(r.b) {
		r.bad = true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) u16() int {
	if b := r.take(2); b != nil {
		return int(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// count reads a number of entries of at least size bytes each.
func (r *reader) count(size int) int {
	n := r.u32()
	if uint64(n)*uint64(size) > uint64(len(r.b)) {
		r.bad = true
		return 0
	}
	return int(n)
}

func (r *reader) text() string { return string(r.take(r.u16())) }

func (r *reader) tenant() string {
	s := r.text()
	if s == "" || len(s) > 255 || !utf8.ValidString(s) {
		r.bad = true
	}
	return s
}

func (r *reader) secret() *[pseudonym.SecretSize]byte {
	b := r.take(pseudonym.SecretSize)
	if b == nil {
		return nil
	}
	s := [pseudonym.SecretSize]byte(b)
	if s == [pseudonym.SecretSize]byte{} {
		r.bad = true
	}
	return &s
}

func (r *reader) check() (c pseudonym.Check) {
	copy(c[:], r.take(len(c)))
	return c
}

func (r *reader) index() []pseudonym.Token {
	n := r.u16()
	if n == 0 || n*2 > len(r.b) {
		r.bad = true
		return nil
	}
	out := make([]pseudonym.Token, 0, n)
	for range n {
		t, err := pseudonym.ParseToken(r.text())
		if err != nil {
			r.bad = true
			return nil
		}
		out = append(out, t)
	}
	return out
}

func (r *reader) time() time.Time {
	s, n := int64(r.u64()), r.u32()
	if n >= 1e9 {
		r.bad = true
	}
	if r.bad {
		return time.Time{}
	}
	return time.Unix(s, int64(n)).UTC()
}

func (r *reader) destruction() pseudonym.Destruction {
	return pseudonym.Destruction{At: r.time(), Copies: r.time(), Actor: r.text(), Reason: r.text()}
}

// decodeSecrets reads what encodeSecrets wrote, and reports whether it is that.
func (c *content) decodeSecrets(b []byte) bool {
	r := &reader{b: b}
	c.seenTombs = r.u64()
	for range r.count(2 + 4 + pseudonym.SecretSize) {
		k := versionKey{r.tenant(), r.u32()}
		s := r.secret()
		if r.bad || k.version == 0 || c.secrets[k] != nil {
			return false
		}
		c.secrets[k] = s
	}
	for range r.count(2 + 2 + pseudonym.SecretSize) {
		e := &row{r.tenant(), r.index(), r.secret()}
		if r.bad {
			return false
		}
		for _, t := range e.index {
			if c.rows[rowKey{e.tenant, t}] != nil {
				return false
			}
			c.rows[rowKey{e.tenant, t}] = e
		}
	}
	return !r.bad && len(r.b) == 0
}

// decodeTombs reads what encodeTombs wrote, and reports whether it is that.
func (c *content) decodeTombs(b []byte) bool {
	r := &reader{b: b}
	for range r.count(2 + 4 + 8 + 1) {
		k := versionKey{r.tenant(), r.u32()}
		i := &issue{check: r.check()}
		if state := r.take(1); state != nil {
			i.state = pseudonym.State(state[0])
		}
		i.until, i.d = r.time(), r.destruction()
		if r.bad || k.version == 0 || c.issued[k] != nil || i.state < pseudonym.StateLive || i.state > pseudonym.StateDestroyed {
			return false
		}
		c.issued[k] = i
	}
	for range r.count(2 + 2 + 8) {
		e := &tomb{r.tenant(), r.index(), r.check(), r.destruction()}
		if r.bad {
			return false
		}
		for _, t := range e.index {
			if c.dead[rowKey{e.tenant, t}] != nil {
				return false
			}
			c.dead[rowKey{e.tenant, t}] = e
		}
	}
	return !r.bad && len(r.b) == 0
}

// bury lets tombstones win: it takes out every secret that was destroyed, and reports
// whether there was one. It also records secrets that were written and not recorded,
// because the program ended between both.
func (c *content) bury() (found bool) {
	for k, s := range c.secrets {
		switch i := c.issued[k]; {
		case i == nil:
			c.issued[k] = &issue{check: checkOf(s, k), state: pseudonym.StateLive}
			c.tombIsPast = true
		case i.state == pseudonym.StateDestroyed || i.check != checkOf(s, k):
			delete(c.secrets, k)
			found = true
		}
	}
	for _, r := range rowsOf(c.rows, (*row).tokens) {
		if !slices.ContainsFunc(r.index, func(t pseudonym.Token) bool { return c.dead[rowKey{r.tenant, t}] != nil }) {
			continue
		}
		found = true
		for _, t := range r.index {
			delete(c.rows, rowKey{r.tenant, t})
		}
	}
	return found
}

func checkOf(s *[pseudonym.SecretSize]byte, k versionKey) pseudonym.Check {
	secret, err := pseudonym.NewSecret(s[:])
	if err != nil {
		return pseudonym.Check{}
	}
	return secret.Check(k.tenant, k.version)
}

// Limits of what may stand in a destruction.
const maxWords = 1000

// words refuses what cannot be stored or would spoil a listing.
func words(d pseudonym.Destruction) error {
	for _, f := range []struct{ name, text string }{{"actor", d.Actor}, {"reason", d.Reason}} {
		if len(f.text) > maxWords || !utf8.ValidString(f.text) {
			return &argument{f.name + ": must be valid UTF-8 of at most 1,000 bytes"}
		}
		for _, r := range f.text {
			if unicode.IsControl(r) {
				return &argument{f.name + ": holds control characters: write it on one line"}
			}
		}
	}
	return nil
}
