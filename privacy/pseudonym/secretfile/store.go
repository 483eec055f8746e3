package secretfile

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/privetdev/privet/privacy/pseudonym"
)

// A Store is an open file of secrets. Make it with [Create] or [Open]. It holds no
// lock and no open file between calls; there is nothing to close. Safe for concurrent
// use, by any number of programs on one file.
type Store struct {
	path, tombs string
	wrappers    []Wrapper // the first one writes
	holds       pseudonym.Holds
	minimum     uint64
	files       fileSystem

	mu    sync.Mutex
	cache *content // what was read or written last; nil if not known
}

var (
	_ pseudonym.Keeper       = (*Store)(nil)
	_ pseudonym.SubjectStore = (*Store)(nil)
)

// An Option configures [Create] and [Open]. Options apply in order; the last one wins.
type Option interface{ apply(*Store) }

type optionFunc func(*Store)

func (f optionFunc) apply(s *Store) { f(s) }

// WithTombstones sets the path of the tombstones; without it, that of the secrets with
// .tombstones at its end. Another disk, or a folder without backups, makes it less
// likely that both files are put back from one backup.
func WithTombstones(path string) Option { return optionFunc(func(s *Store) { s.tombs = path }) }

// WithHolds makes the store ask holds before every destruction.
func WithHolds(h pseudonym.Holds) Option { return optionFunc(func(s *Store) { s.holds = h }) }

// WithMinimum refuses, with [ErrRolledBack], tombstones of a generation below this, as
// noted from [Info.Generation]: that is how a backup of both files is noticed.
func WithMinimum(generation uint64) Option {
	return optionFunc(func(s *Store) { s.minimum = generation })
}

// WithFormerKey also opens files that were written under another key. [Store.Rewrite]
// then writes them under the first one; after that, this option and the former key can
// go, and copies from before are opened by nothing any more once the key is destroyed.
func WithFormerKey(w Wrapper) Option {
	return optionFunc(func(s *Store) { s.wrappers = append(s.wrappers, w) })
}

func withFiles(f fileSystem) Option { return optionFunc(func(s *Store) { s.files = f }) }

func newStore(path string, key Wrapper, opts []Option) (*Store, error) {
	s := &Store{path: path, tombs: path + ".tombstones", wrappers: []Wrapper{key}, files: disk{}}
	for _, o := range opts {
		if o != nil {
			o.apply(s)
		}
	}
	switch {
	case path == "" || s.tombs == "":
		return nil, &argument{"path: is empty: name a file"}
	case slices.Contains(s.wrappers, nil):
		return nil, &argument{"key: is nil: make one with ParseKey"}
	}
	if s.files == (disk{}) {
		// A link is followed now: a rename would replace it, not what it leads to.
		for _, p := range []*string{&s.path, &s.tombs} {
			if to, err := filepath.EvalSymlinks(*p); err == nil {
				*p = to
			}
		}
	}
	if s.path == s.tombs {
		return nil, &argument{"path: secrets and tombstones need a file each"}
	}
	return s, nil
}

// Create makes an empty store. The folder must exist. The error wraps [ErrExists] if
// there is a file of that name, or tombstones of another store.
func Create(ctx context.Context, path string, key Wrapper, opts ...Option) (*Store, error) {
	s, err := newStore(path, key, opts)
	if err != nil {
		return nil, err
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if _, _, err := s.files.read(s.path, 1); !errors.Is(err, fs.ErrNotExist) {
		return nil, &FileError{s.path, "exists and is not written over", "choose another name, or move it away", cmp.Or(err, ErrExists)}
	}
	if err := s.noTombs(ctx); err != nil {
		return nil, err
	}
	c := newContent()
	rand.Read(c.id[:])
	if err := s.renewKey(ctx, c); err != nil {
		return nil, err
	}
	if err := s.write(c, true, true); err != nil {
		return nil, err
	}
	s.cache = c
	return s, nil
}

// noTombs refuses tombstones that somebody relies on. Those of a Create that was cut
// off are empty and are written over.
func (s *Store) noTombs(ctx context.Context) error {
	taken := &FileError{s.tombs, "there are tombstones of a store whose secrets are gone", "put the file of secrets back, or choose another name", ErrExists}
	data, _, err := s.files.read(s.tombs, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fileError(s.tombs, "cannot be read", err)
	}
	e, header, sealed, err := parse(s.tombs, data, kindTombs)
	if err != nil || e.generation != 1 {
		return taken
	}
	key, err := unwrap(ctx, s.tombs, e.wrapped, s.wrappers)
	if err != nil {
		return taken
	}
	text, err := e.unseal(s.tombs, key, header, sealed)
	if c := newContent(); err != nil || !c.decodeTombs(text) || len(c.issued)+len(c.dead) > 0 {
		return taken
	}
	return nil
}

// Open opens a store that was made with [Create], and checks both files. If secrets
// that were destroyed are in the file again, because an older copy was put back, they
// are taken out.
//
// The error is a [*FileError] that wraps [ErrKey] for a wrong key, [ErrDamaged],
// [ErrRolledBack], [ErrPermissions] if anybody but the owner can read or write a file,
// [ErrFormat], or what the system reported.
func Open(ctx context.Context, path string, key Wrapper, opts ...Option) (*Store, error) {
	s, err := newStore(path, key, opts)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, found, err := s.load(ctx)
	if err != nil {
		return nil, err
	}
	if found {
		// In memory they are gone already; a folder that cannot be written to is
		// no reason to refuse.
		s.change(ctx, func(*content) (effect, error) { return removes, nil })
	} else {
		s.cache = c
	}
	return s, nil
}

func (s *Store) lock(ctx context.Context) (func(), error) {
	return s.waitFor(ctx, func() (func(), error) { return s.files.lock(s.path + ".lock") })
}

// waitFor gives up waiting when ctx ends; a lock that comes later is given back.
func (s *Store) waitFor(ctx context.Context, take func() (func(), error)) (func(), error) {
	type got struct {
		unlock func()
		err    error
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	done := make(chan got)
	go func() {
		unlock, err := take()
		select {
		case done <- got{unlock, err}:
		case <-ctx.Done():
			if err == nil {
				unlock()
			}
		}
	}()
	select {
	case g := <-done:
		if errors.Is(g.err, fs.ErrNotExist) {
			return nil, &FileError{s.path, "its folder is not there", "make the folder first", g.err}
		}
		if g.err != nil {
			return nil, fileError(s.path+".lock", "the lock cannot be taken", g.err)
		}
		return g.unlock, nil
	case <-ctx.Done():
		return nil, &FileError{s.path + ".lock", "another program holds the lock", "wait for it, or allow more time", ctx.Err()}
	}
}

// load reads both files, unless they are what was read last. It reports whether the
// file of secrets holds some that were destroyed; what it returns does not.
//
// The secrets are read first. Tombstones are only ever added to, so those read after
// that are as new, or newer, and the check below cannot fail by chance.
func (s *Store) load(ctx context.Context) (c *content, found bool, err error) {
	unlock, err := s.waitFor(ctx, func() (func(), error) { return s.files.lockToRead(s.path + ".lock") })
	if err != nil {
		return nil, false, err
	}
	defer unlock()
	// A writer between the two reads makes a picture of two moments; look again.
	for range 5 {
		if c, found, err = s.loadLocked(ctx); err != nil {
			return nil, false, err
		}
		if head, _, err := s.files.read(s.path, int64(headSize)); err == nil && string(head) == c.heads[0] {
			break
		}
	}
	return c, found, nil
}

func (s *Store) loadLocked(ctx context.Context) (c *content, found bool, err error) {
	if s.cache != nil {
		same := true
		for i, path := range []string{s.path, s.tombs} {
			head, mode, err := s.files.read(path, int64(headSize))
			same = same && err == nil && permitted(mode) && string(head) == s.cache.heads[i]
		}
		if same {
			return s.cache, false, nil
		}
	}
	main, err := s.readFile(s.path)
	if err != nil {
		return nil, false, err
	}
	em, mainHeader, mainSealed, err := parse(s.path, main, kindSecrets)
	if err != nil {
		return nil, false, err
	}
	tombs, err := s.readFile(s.tombs)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, &FileError{s.tombs, "the tombstones are missing, which tell what must not come back", "put that file back, or name it", errors.Join(ErrRolledBack, err)}
	}
	if err != nil {
		return nil, false, err
	}
	et, tombHeader, tombSealed, err := parse(s.tombs, tombs, kindTombs)
	if err != nil {
		return nil, false, err
	}
	if em.id != et.id {
		return nil, false, &FileError{s.tombs, "holds the tombstones of another store", "name the ones that belong to " + s.path, ErrRolledBack}
	}
	c = newContent()
	c.id, c.mainGen, c.tombGen = em.id, em.generation, et.generation
	c.wrapped = slices.Clone(em.wrapped)
	c.heads = [2]string{string(main[:headSize]), string(tombs[:headSize])}
	tombKey, err := s.unwrap(ctx, s.tombs, et.wrapped)
	if err != nil {
		return nil, false, err
	}
	if c.key, err = s.unwrap(ctx, s.path, em.wrapped); err != nil {
		return nil, false, err
	}
	text, err := et.unseal(s.tombs, tombKey, tombHeader, tombSealed)
	if err != nil {
		return nil, false, err
	}
	if !c.decodeTombs(text) {
		return nil, false, damaged(s.tombs, ErrDamaged)
	}
	if text, err = em.unseal(s.path, c.key, mainHeader, mainSealed); err != nil {
		return nil, false, err
	}
	defer clear(text)
	if !c.decodeSecrets(text) {
		return nil, false, damaged(s.path, ErrDamaged)
	}
	if c.tombGen < c.seenTombs || c.tombGen < s.minimum {
		return nil, false, &FileError{s.tombs, "the tombstones are older than they were: secrets that were destroyed since could come back", "put the newest copy back", ErrRolledBack}
	}
	return c, c.bury(), nil
}

// unwrap asks for a data key, unless it is the one in use.
func (s *Store) unwrap(ctx context.Context, path string, wrapped []byte) (dataKey, error) {
	if s.cache != nil && string(s.cache.wrapped) == string(wrapped) {
		return s.cache.key, nil
	}
	return unwrap(ctx, path, wrapped, s.wrappers)
}

func (s *Store) readFile(path string) ([]byte, error) {
	data, mode, err := s.files.read(path, maxFile+1)
	switch {
	case err != nil:
		return nil, fileError(path, "cannot be read", err)
	case !permitted(mode):
		return nil, &FileError{path, "others may read or write it", "run: chmod 600 " + path, ErrPermissions}
	case len(data) > maxFile:
		return nil, &FileError{path, "is too large", "is it the right file?", ErrFormat}
	}
	return data, nil
}

func permitted(mode fs.FileMode) bool { return !permissionsCount || mode.Perm()&0o077 == 0 }

// renewKey gives a content a new data key.
func (s *Store) renewKey(ctx context.Context, c *content) error {
	c.key = newDataKey()
	wrapped, err := s.wrappers[0].Wrap(ctx, slices.Clone(c.key.b.p[:]))
	if err != nil {
		return wrapperError(s.path, err)
	}
	if len(wrapped) > maxWrapped {
		return &FileError{s.path, "the wrapped data key is longer than 8 KiB", "use another way to wrap", ErrKey}
	}
	c.wrapped = wrapped
	return nil
}

// An effect says what a change did, and so in which order it is written.
type effect int

const (
	nothing  effect = iota
	adds            // a secret is there that must not be lost
	removes         // a secret must not come back, or a record changed
	addsRows        // a subject, of which the tombstones say nothing
)

// change applies f to the newest state and writes it. When it returns nil, that is
// durable.
func (s *Store) change(ctx context.Context, f func(*content) (effect, error)) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	c, _, err := s.loadLocked(ctx)
	if err != nil {
		return err
	}
	c = c.clone()
	did, err := f(c)
	if err != nil || did == nothing {
		return err
	}
	s.cache = nil // if writing fails, nobody knows what is there
	if err := s.write(c, did != addsRows || c.tombIsPast, did == removes); err != nil {
		return err
	}
	s.cache = c
	return nil
}

// write replaces the files: the secrets, and if asked the tombstones, before or after.
func (s *Store) write(c *content, tombs, tombsFirst bool) error {
	main := func() error {
		c.seenTombs = c.tombGen
		c.mainGen++
		text := c.encodeSecrets()
		defer clear(text)
		e := envelope{kindSecrets, c.id, c.mainGen, c.wrapped}
		return s.replace(s.path, &e, c, text, 0)
	}
	graves := func() error {
		c.tombGen++
		c.tombIsPast = false
		e := envelope{kindTombs, c.id, c.tombGen, c.wrapped}
		return s.replace(s.tombs, &e, c, c.encodeTombs(), 1)
	}
	steps := []func() error{main}
	switch {
	case tombs && tombsFirst:
		steps = []func() error{graves, main}
	case tombs:
		steps = []func() error{main, graves}
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// replace writes a file whole beside its place and puts it there. Each step is
// durable before the next one begins.
func (s *Store) replace(path string, e *envelope, c *content, text []byte, head int) error {
	data, err := e.seal(c.key, text)
	if err != nil {
		return err
	}
	if len(data) > maxFile {
		return &FileError{path, "would be larger than 256 MiB", "keep subjects in a database", ErrArgument}
	}
	// The lock is held, so a file that lies there is left over from a program that
	// was ended.
	temp := path + ".tmp"
	if err := s.files.remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fileError(path, "cannot be written", err)
	}
	f, err := s.files.create(temp)
	if err != nil {
		return fileError(path, "cannot be written", err)
	}
	n, err := f.Write(data)
	if err == nil && n < len(data) {
		err = io.ErrShortWrite
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = s.files.rename(temp, path)
	}
	if err != nil {
		s.files.remove(temp)
		return fileError(path, "cannot be written", err)
	}
	if err := s.files.syncDir(path); err != nil {
		return fileError(path, "cannot be made durable", err)
	}
	c.heads[head] = string(data[:headSize])
	return nil
}

// view calls f with the newest state.
func (s *Store) view(ctx context.Context, f func(*content) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, _, err := s.load(ctx)
	if err != nil {
		return err
	}
	s.cache = c
	return f(c)
}

// edit calls f with the newest state and writes what it made of it.
func (s *Store) edit(ctx context.Context, f func(*content) (effect, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.change(ctx, f)
}

func checkTenant(tenant string) error {
	if tenant == "" || len(tenant) > 255 || !utf8.ValidString(tenant) {
		return &argument{"tenant: must be 1 to 255 bytes of valid UTF-8"}
	}
	return nil
}

// stateOf is what became of a version.
func (c *content) stateOf(k versionKey) pseudonym.State {
	i := c.issued[k]
	switch {
	case i == nil:
		return pseudonym.StateUnknown
	case i.state == pseudonym.StateDestroyed:
		return pseudonym.StateDestroyed
	case c.secrets[k] == nil:
		return pseudonym.StateMissing
	}
	return i.state
}

// Secret implements pseudonym.SecretStore. Of a secret that is missing, because an
// older file was put back, the error wraps pseudonym.ErrUnknown.
func (s *Store) Secret(ctx context.Context, tenant string, version uint32) (out pseudonym.Secret, err error) {
	err = s.view(ctx, func(c *content) (err error) {
		k := versionKey{tenant, version}
		switch c.stateOf(k) {
		case pseudonym.StateLive:
			out, err = pseudonym.NewSecret(c.secrets[k][:])
			return err
		case pseudonym.StatePending:
			return pseudonym.ErrPending
		case pseudonym.StateDestroyed:
			return pseudonym.ErrDestroyed
		case pseudonym.StateMissing:
			return &missing{}
		}
		return pseudonym.ErrUnknown
	})
	return out, err
}

type missing struct{}

func (*missing) Error() string {
	return "secretfile: secret missing: an older copy of the file was put back: bring the newest copy, or import the secret"
}
func (*missing) Unwrap() error { return pseudonym.ErrUnknown }

// Versions implements pseudonym.SecretStore, newest first.
func (s *Store) Versions(ctx context.Context, tenant string) (out []uint32, err error) {
	err = s.view(ctx, func(c *content) error {
		out = nil
		var seen [pseudonym.StateMissing + 1]bool
		for k := range c.issued {
			if k.tenant != tenant {
				continue
			}
			state := c.stateOf(k)
			seen[state] = true
			if state == pseudonym.StateLive {
				out = append(out, k.version)
			}
		}
		slices.Sort(out)
		slices.Reverse(out)
		switch {
		case len(out) > 0:
			return nil
		case seen[pseudonym.StateMissing]:
			return &missing{}
		case seen[pseudonym.StatePending]:
			return pseudonym.ErrPending
		case seen[pseudonym.StateDestroyed]:
			return pseudonym.ErrDestroyed
		}
		return pseudonym.ErrUnknown
	})
	return out, err
}

// Generate makes a secret under the version after the highest that the tenant ever
// had, which it returns, and draws it from the system's random source. A Pseudonymiser
// made from then on writes with it.
func (s *Store) Generate(ctx context.Context, tenant string) (version uint32, err error) {
	if err := checkTenant(tenant); err != nil {
		return 0, err
	}
	err = s.edit(ctx, func(c *content) (effect, error) {
		version = 0
		for k := range c.issued {
			if k.tenant == tenant {
				version = max(version, k.version)
			}
		}
		if version == math.MaxUint32 {
			return nothing, &argument{"version: none is left above the highest"}
		}
		version++
		var b [pseudonym.SecretSize]byte
		rand.Read(b[:])
		c.add(versionKey{tenant, version}, &b)
		return adds, nil
	})
	if err != nil {
		return 0, err
	}
	return version, nil
}

func (c *content) add(k versionKey, b *[pseudonym.SecretSize]byte) {
	c.secrets[k] = b
	c.issued[k] = &issue{check: checkOf(b, k), state: pseudonym.StateLive}
}

// Make implements pseudonym.Keeper. For random use crypto/rand.Reader. A version that
// is missing, because an older file was put back, counts as existing.
func (s *Store) Make(ctx context.Context, tenant string, version uint32, random io.Reader) error {
	if random == nil {
		return &argument{"random: is nil: pass crypto/rand.Reader"}
	}
	var b [pseudonym.SecretSize]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return &argument{"random: gave no 32 bytes"}
	}
	return s.Import(ctx, tenant, version, b[:])
}

// Import stores a secret that was made elsewhere, 32 random bytes, under a version of
// the caller's choice, 1 or more. A secret that is missing can be brought back so, if it
// is the same. The error wraps pseudonym.ErrExists if the version has, or had, another
// one, pseudonym.ErrDestroyed or ErrPending, pseudonym.ErrSecret if the bytes cannot be
// a secret, or [ErrArgument].
func (s *Store) Import(ctx context.Context, tenant string, version uint32, secret []byte) error {
	if err := checkTenant(tenant); err != nil {
		return err
	}
	if version == 0 {
		return &argument{"version: must be 1 or more"}
	}
	checked, err := pseudonym.NewSecret(secret)
	if err != nil {
		return err
	}
	b := [pseudonym.SecretSize]byte(secret)
	return s.edit(ctx, func(c *content) (effect, error) {
		k := versionKey{tenant, version}
		switch c.stateOf(k) {
		case pseudonym.StateDestroyed:
			return nothing, pseudonym.ErrDestroyed
		case pseudonym.StatePending:
			return nothing, pseudonym.ErrPending
		case pseudonym.StateLive:
			return nothing, pseudonym.ErrExists
		case pseudonym.StateMissing:
			if c.issued[k].check != checked.Check(tenant, version) {
				return nothing, pseudonym.ErrExists
			}
			c.secrets[k] = &b
			return adds, nil
		}
		c.add(k, &b)
		return adds, nil
	})
}

// Destroy implements pseudonym.Keeper: it takes the secret out of the file and leaves
// a tombstone. Of a secret that is missing it leaves the tombstone. The error wraps
// pseudonym.ErrUnknown, [ErrArgument] if actor or reason cannot be stored, or is a
// *pseudonym.HeldError.
func (s *Store) Destroy(ctx context.Context, tenant string, version uint32, d pseudonym.Destruction) error {
	if err := words(d); err != nil {
		return err
	}
	return s.edit(ctx, func(c *content) (effect, error) { return s.destroy(ctx, c, versionKey{tenant, version}, d) })
}

func (s *Store) destroy(ctx context.Context, c *content, k versionKey, d pseudonym.Destruction) (effect, error) {
	switch c.stateOf(k) {
	case pseudonym.StateUnknown:
		return nothing, pseudonym.ErrUnknown
	case pseudonym.StateDestroyed:
		return nothing, nil
	}
	if err := s.holds.Ask(ctx, pseudonym.Target{Tenant: k.tenant, Version: k.version}); err != nil {
		return nothing, err
	}
	c.issued[k] = &issue{check: c.issued[k].check, state: pseudonym.StateDestroyed, d: d}
	delete(c.secrets, k)
	return removes, nil
}

// DestroyPending takes a secret out of use and plans its destruction for until, which
// [Store.DestroyDue] carries out. Before that, [Store.CancelDestroy] brings it back.
// The errors are those of Destroy, and pseudonym.ErrDestroyed if it is gone.
func (s *Store) DestroyPending(ctx context.Context, tenant string, version uint32, until time.Time, d pseudonym.Destruction) error {
	if err := words(d); err != nil {
		return err
	}
	return s.edit(ctx, func(c *content) (effect, error) {
		k := versionKey{tenant, version}
		switch c.stateOf(k) {
		case pseudonym.StateUnknown:
			return nothing, pseudonym.ErrUnknown
		case pseudonym.StateDestroyed:
			return nothing, pseudonym.ErrDestroyed
		}
		if err := s.holds.Ask(ctx, pseudonym.Target{Tenant: tenant, Version: version}); err != nil {
			return nothing, err
		}
		c.issued[k] = &issue{check: c.issued[k].check, state: pseudonym.StatePending, until: until, d: d}
		return removes, nil
	})
}

// CancelDestroy calls a planned destruction off and brings the secret back. The error
// wraps pseudonym.ErrDestroyed if it is too late, or ErrUnknown. Of a secret that is in
// use it changes nothing.
func (s *Store) CancelDestroy(ctx context.Context, tenant string, version uint32) error {
	return s.edit(ctx, func(c *content) (effect, error) {
		k := versionKey{tenant, version}
		i := c.issued[k]
		switch {
		case i == nil:
			return nothing, pseudonym.ErrUnknown
		case i.state == pseudonym.StateDestroyed:
			return nothing, pseudonym.ErrDestroyed
		case i.state == pseudonym.StateLive:
			return nothing, nil
		}
		c.issued[k] = &issue{check: i.check, state: pseudonym.StateLive}
		return removes, nil
	})
}

// DestroyDue carries out every destruction that was planned for now or earlier and
// returns the tombstones, by tenant and version, with now as their time. What a hold covers by now stays
// pending; the error, which wraps pseudonym.ErrHeld, tells of each, and the others are
// destroyed all the same.
func (s *Store) DestroyDue(ctx context.Context, now time.Time) (done []pseudonym.Status, err error) {
	var held []error
	err = s.edit(ctx, func(c *content) (effect, error) {
		done, held = nil, nil
		did := nothing
		for _, k := range versionsOf(c.issued) {
			i := c.issued[k]
			if i.state != pseudonym.StatePending || now.Before(i.until) {
				continue
			}
			d := i.d
			d.At = now
			if _, err := s.destroy(ctx, c, k, d); err != nil {
				held = append(held, err)
				continue
			}
			did = removes
			done = append(done, c.status(k))
		}
		return did, nil
	})
	if err != nil {
		return nil, err
	}
	return done, errors.Join(held...)
}

func (c *content) status(k versionKey) pseudonym.Status {
	i := c.issued[k]
	return pseudonym.Status{
		Tenant: k.tenant, Version: k.version, State: c.stateOf(k), Check: i.check, Until: i.until, Destruction: i.d,
	}
}

// Status returns what became of every version of a tenant, oldest first, or of all
// tenants for "". It holds no key.
func (s *Store) Status(ctx context.Context, tenant string) (out []pseudonym.Status, err error) {
	err = s.view(ctx, func(c *content) error {
		out = nil
		for _, k := range versionsOf(c.issued) {
			if tenant == "" || k.tenant == tenant {
				out = append(out, c.status(k))
			}
		}
		return nil
	})
	return out, err
}

// Info is about a store as a whole.
type Info struct {
	// Generation counts the writes of the tombstones. Note it where no backup of
	// this machine goes, for [WithMinimum].
	Generation uint64

	Tenants  int // that ever had a secret
	Subjects int // that have a secret
	Erased   int // subjects that had one, or were erased before
}

// Info returns figures about the store.
func (s *Store) Info(ctx context.Context) (out Info, err error) {
	err = s.view(ctx, func(c *content) error {
		tenants := map[string]bool{}
		for k := range c.issued {
			tenants[k.tenant] = true
		}
		out = Info{c.tombGen, len(tenants), len(rowsOf(c.rows, (*row).tokens)), len(rowsOf(c.dead, (*tomb).tokens))}
		return nil
	})
	return out, err
}

// Rewrite writes both files under a new data key, which the key given to [Open] wraps.
// See [WithFormerKey].
func (s *Store) Rewrite(ctx context.Context) error {
	return s.edit(ctx, func(c *content) (effect, error) { return removes, s.renewKey(ctx, c) })
}

// Subject implements pseudonym.SubjectStore.
func (s *Store) Subject(ctx context.Context, tenant string, index []pseudonym.Token, create bool) (out pseudonym.Secret, err error) {
	if err := checkIndex(tenant, index); err != nil {
		return out, err
	}
	// Most calls find the row under its newest token and write nothing.
	settled := false
	err = s.view(ctx, func(c *content) error {
		r := c.rows[rowKey{tenant, index[0]}]
		switch {
		case c.tombOf(tenant, index) != nil:
			if settled = c.dead[rowKey{tenant, index[0]}] != nil; settled {
				return pseudonym.ErrDestroyed
			}
		case r != nil:
			settled = true
			out, err = pseudonym.NewSecret(r.secret[:])
			return err
		case c.rowOf(tenant, index) == nil && !create:
			settled = true
			return pseudonym.ErrUnknown
		}
		return nil
	})
	if settled || err != nil {
		return out, err
	}
	erased := false
	err = s.edit(ctx, func(c *content) (effect, error) {
		if c.tombOf(tenant, index) != nil {
			erased = true
			return c.entomb(tenant, index, nil), nil
		}
		did := nothing
		r := c.rowOf(tenant, index)
		switch {
		case r == nil && !create:
			return nothing, pseudonym.ErrUnknown
		case r == nil:
			var b [pseudonym.SecretSize]byte
			rand.Read(b[:])
			r = &row{tenant, index[:1:1], &b}
			did = addsRows
		case !slices.Contains(r.index, index[0]):
			r = &row{tenant, append(index[:1:1], r.index...), r.secret}
			did = addsRows
		}
		if did != nothing {
			r.index = slices.Clone(r.index)
			for _, t := range r.index {
				c.rows[rowKey{tenant, t}] = r
			}
		}
		var err error
		out, err = pseudonym.NewSecret(r.secret[:])
		return did, err
	})
	if err == nil && erased {
		err = pseudonym.ErrDestroyed
	}
	if err != nil {
		return pseudonym.Secret{}, err
	}
	return out, nil
}

func (c *content) rowOf(tenant string, index []pseudonym.Token) *row {
	for _, t := range index {
		if r := c.rows[rowKey{tenant, t}]; r != nil {
			return r
		}
	}
	return nil
}

func (c *content) tombOf(tenant string, index []pseudonym.Token) *tomb {
	for _, t := range index {
		if e := c.dead[rowKey{tenant, t}]; e != nil {
			return e
		}
	}
	return nil
}

func checkIndex(tenant string, index []pseudonym.Token) error {
	if err := checkTenant(tenant); err != nil {
		return err
	}
	if len(index) == 0 || len(index) > 1024 || slices.Contains(index, pseudonym.Token{}) {
		return &argument{"index: must be 1 to 1,024 tokens, none of them zero"}
	}
	return nil
}

// DestroySubject implements pseudonym.SubjectStore.
func (s *Store) DestroySubject(ctx context.Context, tenant string, index []pseudonym.Token, d pseudonym.Destruction) error {
	if err := checkIndex(tenant, index); err != nil {
		return err
	}
	if err := words(d); err != nil {
		return err
	}
	return s.edit(ctx, func(c *content) (effect, error) {
		if c.tombOf(tenant, index) == nil {
			if err := s.holds.Ask(ctx, pseudonym.Target{Tenant: tenant, Subject: index[0]}); err != nil {
				return nothing, err
			}
		}
		return c.entomb(tenant, index, &d), nil
	})
}

// entomb puts all of a person's tokens under one tombstone, the first that there is,
// and takes out the rows that they lead to.
func (c *content) entomb(tenant string, index []pseudonym.Token, d *pseudonym.Destruction) effect {
	if !slices.ContainsFunc(index, func(t pseudonym.Token) bool { return c.dead[rowKey{tenant, t}] == nil }) {
		return nothing
	}
	e := &tomb{tenant: tenant}
	if old := c.tombOf(tenant, index); old != nil {
		*e = *old
	} else if d != nil {
		e.d = *d
	}
	all := map[pseudonym.Token]bool{}
	for _, t := range index {
		all[t] = true
		if other := c.dead[rowKey{tenant, t}]; other != nil {
			for _, t := range other.index {
				all[t] = true
			}
		}
		r := c.rows[rowKey{tenant, t}]
		if r == nil {
			continue
		}
		if secret, err := pseudonym.NewSecret(r.secret[:]); err == nil && e.check == (pseudonym.Check{}) {
			e.check = secret.SubjectCheck(tenant)
		}
		for _, t := range r.index {
			all[t] = true
			delete(c.rows, rowKey{tenant, t})
		}
	}
	e.index = slices.SortedFunc(maps.Keys(all), func(a, b pseudonym.Token) int { return cmp.Compare(a.String(), b.String()) })
	for _, t := range e.index {
		c.dead[rowKey{tenant, t}] = e
	}
	return removes
}
