package pseudonym

import (
	"context"
	"io"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Memory is a [SecretStore] in the memory of the process. What it held is gone
// when the process ends, and its tokens can then not be made again: for secrets
// that live elsewhere and are handed in at start, for tests and for development.
//
// The zero Memory is empty and ready to use. It must not be copied. Safe for
// concurrent use.
type Memory struct {
	mu      sync.RWMutex
	tenants map[string]*memoryTenant

	// random is set in a development store only.
	random io.Reader
}

var _ SecretStore = (*Memory)(nil)

type memoryTenant struct {
	secrets    map[uint32]Secret
	tombstones map[uint32]Destruction
}

// Destruction says when, by whom and why a secret was destroyed.
type Destruction struct {
	At            time.Time // as the caller's clock has it; no clock is read here
	Actor, Reason string    // for the record; must not name the persons concerned
}

// maxDevelopmentTenants bounds a store that makes secrets for whoever is asked
// for.
const maxDevelopmentTenants = 10_000

// NewDevelopmentStore returns a store that makes version 1 for every tenant at
// the moment it is first asked for, up to 10,000 tenants, reading random (use
// crypto/rand.Reader). Tokens made with it join within one run of the program
// and never across runs. After Destroy, a tenant does not get a new secret by
// itself.
func NewDevelopmentStore(random io.Reader) *Memory { return &Memory{random: random} }

// Add stores a secret under a version of the caller's choice, 1 or more. The
// error wraps [ErrExists] if the version has a secret, [ErrDestroyed] if it had
// one, [ErrSecret] for the zero Secret, [ErrScope] for a tenant or version that
// cannot be used.
func (m *Memory) Add(tenant string, version uint32, s Secret) error {
	if err := checkPart("tenant", tenant); err != nil {
		return err
	}
	if version == 0 {
		return &fault{ErrScope, "version: must be 1 or more", nil}
	}
	if s.b == nil {
		return &fault{ErrSecret, "zero Secret: make one with NewSecret", nil}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.tenants[tenant]
	if t != nil {
		if _, ok := t.tombstones[version]; ok {
			return ErrDestroyed
		}
		if _, ok := t.secrets[version]; ok {
			return ErrExists
		}
	}
	m.put(tenant, version, s)
	return nil
}

// Generate makes a secret from 32 bytes of random (use crypto/rand.Reader) and
// stores it under the version after the highest that the tenant ever had, which
// it returns. A [Pseudonymiser] made from then on writes with it.
func (m *Memory) Generate(tenant string, random io.Reader) (version uint32, err error) {
	if err := checkPart("tenant", tenant); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.generate(tenant, random)
}

func (m *Memory) generate(tenant string, random io.Reader) (uint32, error) {
	if random == nil {
		return 0, &fault{ErrSecret, "no random source: pass crypto/rand.Reader", nil}
	}
	var last uint32
	if t := m.tenants[tenant]; t != nil {
		for v := range t.secrets {
			last = max(last, v)
		}
		for v := range t.tombstones {
			last = max(last, v)
		}
	}
	if last == math.MaxUint32 {
		return 0, &fault{ErrScope, "version: none is left above the highest: add a lower one", nil}
	}
	var b [SecretSize]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return 0, &fault{ErrSecret, "random source gave no " + strconv.Itoa(SecretSize) + " bytes", err}
	}
	s, err := NewSecret(b[:])
	if err != nil {
		return 0, err
	}
	m.put(tenant, last+1, s)
	return last + 1, nil
}

func (m *Memory) put(tenant string, version uint32, s Secret) {
	if m.tenants == nil {
		m.tenants = map[string]*memoryTenant{}
	}
	t := m.tenants[tenant]
	if t == nil {
		t = &memoryTenant{secrets: map[uint32]Secret{}, tombstones: map[uint32]Destruction{}}
		m.tenants[tenant] = t
	}
	t.secrets[version] = s
}

// Destroy forgets a secret and leaves a tombstone: from now on the version
// answers [ErrDestroyed] and never gets a secret again. Destroying it once more
// keeps the first tombstone. The error wraps [ErrUnknown] if there never was such
// a secret.
//
// Destroy does not reach what was derived before: drop every [Pseudonymiser] of
// the tenant as well, and the copies of the secret outside this store.
func (m *Memory) Destroy(_ context.Context, tenant string, version uint32, d Destruction) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.tenants[tenant]
	if t == nil {
		return ErrUnknown
	}
	if _, ok := t.tombstones[version]; ok {
		return nil
	}
	if _, ok := t.secrets[version]; !ok {
		return ErrUnknown
	}
	// The bytes are not overwritten: a New that is running may be reading them,
	// and half a secret would give tokens that nobody can make again.
	delete(t.secrets, version)
	t.tombstones[version] = d
	return nil
}

// Destroyed returns the tombstone of a version and whether there is one.
func (m *Memory) Destroyed(tenant string, version uint32) (Destruction, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	t := m.tenants[tenant]
	if t == nil {
		return Destruction{}, false
	}
	d, ok := t.tombstones[version]
	return d, ok
}

// Secret implements [SecretStore].
func (m *Memory) Secret(_ context.Context, tenant string, version uint32) (Secret, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if t := m.tenants[tenant]; t != nil {
		if _, ok := t.tombstones[version]; ok {
			return Secret{}, ErrDestroyed
		}
		if s, ok := t.secrets[version]; ok {
			return s, nil
		}
	}
	return Secret{}, ErrUnknown
}

// Versions implements [SecretStore], newest first.
func (m *Memory) Versions(_ context.Context, tenant string) ([]uint32, error) {
	m.mu.RLock()
	t, known := m.tenants[tenant]
	if known || m.random == nil {
		defer m.mu.RUnlock()
		return t.versions()
	}
	m.mu.RUnlock()

	m.mu.Lock()
	defer m.mu.Unlock()
	if t, known = m.tenants[tenant]; !known {
		if err := checkPart("tenant", tenant); err != nil {
			return nil, err
		}
		if len(m.tenants) >= maxDevelopmentTenants {
			return nil, &fault{ErrUnknown, "development store is full: keep secrets in a store of your own", nil}
		}
		if _, err := m.generate(tenant, m.random); err != nil {
			return nil, err
		}
		t = m.tenants[tenant]
	}
	return t.versions()
}

func (t *memoryTenant) versions() ([]uint32, error) {
	if t == nil {
		return nil, ErrUnknown
	}
	if len(t.secrets) == 0 {
		return nil, ErrDestroyed
	}
	vs := make([]uint32, 0, len(t.secrets))
	for v := range t.secrets {
		vs = append(vs, v)
	}
	slices.Sort(vs)
	slices.Reverse(vs)
	return vs, nil
}
