package pseudonym

import (
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
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
	holds   Holds

	// random is set in a development store only.
	random io.Reader
}

var _ Keeper = (*Memory)(nil)

type memoryTenant struct {
	secrets    map[uint32]Secret
	pending    map[uint32]plan // of secrets that are still there
	tombstones map[uint32]tombstone
}

// A plan is a destruction that can be called off.
type plan struct {
	until time.Time
	d     Destruction
}

type tombstone struct {
	d     Destruction
	check Check
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

// Hold makes the store ask holds before every destruction from now on. Nil Holds
// forbid nothing.
func (m *Memory) Hold(holds Holds) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.holds = holds
}

// Add stores a secret under a version of the caller's choice, 1 or more. The
// error wraps [ErrExists] if the version has a secret, [ErrDestroyed] if it had
// one, [ErrSecret] for the zero Secret, [ErrScope] for a tenant or version that
// cannot be used.
func (m *Memory) Add(tenant string, version uint32, s Secret) error {
	if err := checkVersion(tenant, version); err != nil {
		return err
	}
	if s.b == nil {
		return &fault{ErrSecret, "zero Secret: make one with NewSecret", nil}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.add(tenant, version, s)
}

func checkVersion(tenant string, version uint32) error {
	if err := checkPart("tenant", tenant); err != nil {
		return err
	}
	if version == 0 {
		return &fault{ErrScope, "version: must be 1 or more", nil}
	}
	return nil
}

func (m *Memory) add(tenant string, version uint32, s Secret) error {
	if t := m.tenants[tenant]; t != nil {
		if _, ok := t.tombstones[version]; ok {
			return ErrDestroyed
		}
		if _, ok := t.pending[version]; ok {
			return ErrPending
		}
		if _, ok := t.secrets[version]; ok {
			return ErrExists
		}
	}
	m.put(tenant, version, s)
	return nil
}

// Make implements [Keeper]. For random use crypto/rand.Reader. The error also wraps
// [ErrSecret] if random gives no 32 bytes, and [ErrScope] as for Add.
func (m *Memory) Make(_ context.Context, tenant string, version uint32, random io.Reader) error {
	if err := checkVersion(tenant, version); err != nil {
		return err
	}
	s, err := readSecret(random)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.add(tenant, version, s)
}

// readSecret makes a secret from 32 bytes of random.
func readSecret(random io.Reader) (Secret, error) {
	if random == nil {
		return Secret{}, &fault{ErrSecret, "no random source: pass crypto/rand.Reader", nil}
	}
	var b [SecretSize]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return Secret{}, &fault{ErrSecret, "random source gave no " + strconv.Itoa(SecretSize) + " bytes", err}
	}
	return NewSecret(b[:])
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
	s, err := readSecret(random)
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
		t = &memoryTenant{secrets: map[uint32]Secret{}, pending: map[uint32]plan{}, tombstones: map[uint32]tombstone{}}
		m.tenants[tenant] = t
	}
	t.secrets[version] = s
}

// Destroy forgets a secret and leaves a tombstone: from now on the version
// answers [ErrDestroyed] and never gets a secret again. Destroying it once more
// keeps the first tombstone. The error wraps [ErrUnknown] if there never was such
// a secret, and is a [*HeldError] if a hold covers it.
//
// Destroy does not reach what was derived before: drop every [Pseudonymiser] of
// the tenant as well, and the copies of the secret outside this store.
func (m *Memory) Destroy(ctx context.Context, tenant string, version uint32, d Destruction) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.destroy(ctx, tenant, version, d)
}

func (m *Memory) destroy(ctx context.Context, tenant string, version uint32, d Destruction) error {
	t, gone, err := m.target(tenant, version)
	if err != nil || gone {
		return err
	}
	if err := m.holds.Ask(ctx, Target{Tenant: tenant, Version: version}); err != nil {
		return err
	}
	// The bytes are not overwritten: a New that is running may be reading them,
	// and half a secret would give tokens that nobody can make again.
	t.tombstones[version] = tombstone{d, t.secrets[version].Check(tenant, version)}
	delete(t.secrets, version)
	delete(t.pending, version)
	return nil
}

// target returns the tenant of a version that there is or was.
func (m *Memory) target(tenant string, version uint32) (t *memoryTenant, gone bool, err error) {
	t = m.tenants[tenant]
	if t == nil {
		return nil, false, ErrUnknown
	}
	if _, ok := t.tombstones[version]; ok {
		return t, true, nil
	}
	if _, ok := t.secrets[version]; !ok {
		return nil, false, ErrUnknown
	}
	return t, false, nil
}

// DestroyPending takes a secret out of use and plans its destruction for until,
// which [Memory.DestroyDue] carries out. Before that, [Memory.CancelDestroy] brings
// it back. Planning once more replaces the plan. In the meantime the version
// answers [ErrPending], and its tokens are still [Linkable]. The error wraps
// [ErrUnknown] if there never was such a secret, [ErrDestroyed] if it is gone, and
// is a [*HeldError] if a hold covers it.
func (m *Memory) DestroyPending(ctx context.Context, tenant string, version uint32, until time.Time, d Destruction) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, gone, err := m.target(tenant, version)
	if gone {
		err = ErrDestroyed
	}
	if err == nil {
		err = m.holds.Ask(ctx, Target{Tenant: tenant, Version: version})
	}
	if err != nil {
		return err
	}
	t.pending[version] = plan{until, d}
	return nil
}

// CancelDestroy calls a planned destruction off and brings the secret back. The
// error wraps [ErrDestroyed] if it is too late and [ErrUnknown] if there never was
// such a secret. Of a secret that is in use it changes nothing.
func (m *Memory) CancelDestroy(_ context.Context, tenant string, version uint32) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, gone, err := m.target(tenant, version)
	if gone {
		err = ErrDestroyed
	}
	if err != nil {
		return err
	}
	delete(t.pending, version)
	return nil
}

// DestroyDue carries out every destruction that was planned for now or earlier and
// returns the tombstones, by tenant and version, with now as their time. What a hold covers by now stays
// pending; the error, which wraps [ErrHeld], tells of each, and the others are
// destroyed all the same.
func (m *Memory) DestroyDue(ctx context.Context, now time.Time) ([]Status, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var done []Status
	var faults []error
	for _, tenant := range slices.Sorted(maps.Keys(m.tenants)) {
		t := m.tenants[tenant]
		for _, v := range slices.Sorted(maps.Keys(t.pending)) {
			p := t.pending[v]
			if now.Before(p.until) {
				continue
			}
			p.d.At = now
			if err := m.destroy(ctx, tenant, v, p.d); err != nil {
				faults = append(faults, err)
				continue
			}
			done = append(done, t.status(tenant, v))
		}
	}
	return done, errors.Join(faults...)
}

// Status returns what became of every version that a tenant ever had, oldest
// first; nothing for a tenant that never had one.
func (m *Memory) Status(tenant string) []Status {
	m.mu.RLock()
	defer m.mu.RUnlock()
	t := m.tenants[tenant]
	if t == nil {
		return nil
	}
	var all []Status
	for _, v := range append(slices.Collect(maps.Keys(t.secrets)), slices.Collect(maps.Keys(t.tombstones))...) {
		all = append(all, t.status(tenant, v))
	}
	slices.SortFunc(all, func(a, b Status) int { return cmp.Compare(a.Version, b.Version) })
	return all
}

func (t *memoryTenant) status(tenant string, version uint32) Status {
	st := Status{Tenant: tenant, Version: version, State: StateLive}
	if dead, ok := t.tombstones[version]; ok {
		st.State, st.Check, st.Destruction = StateDestroyed, dead.check, dead.d
		return st
	}
	st.Check = t.secrets[version].Check(tenant, version)
	if p, ok := t.pending[version]; ok {
		st.State, st.Until, st.Destruction = StatePending, p.until, p.d
	}
	return st
}

// Destroyed returns the tombstone of a version and whether there is one.
func (m *Memory) Destroyed(tenant string, version uint32) (Destruction, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	t := m.tenants[tenant]
	if t == nil {
		return Destruction{}, false
	}
	dead, ok := t.tombstones[version]
	return dead.d, ok
}

// Secret implements [SecretStore].
func (m *Memory) Secret(_ context.Context, tenant string, version uint32) (Secret, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if t := m.tenants[tenant]; t != nil {
		if _, ok := t.tombstones[version]; ok {
			return Secret{}, ErrDestroyed
		}
		if _, ok := t.pending[version]; ok {
			return Secret{}, ErrPending
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
	vs := make([]uint32, 0, len(t.secrets))
	for v := range t.secrets {
		if _, ok := t.pending[v]; !ok {
			vs = append(vs, v)
		}
	}
	switch {
	case len(vs) > 0:
	case len(t.pending) > 0:
		return nil, ErrPending
	default:
		return nil, ErrDestroyed
	}
	slices.Sort(vs)
	slices.Reverse(vs)
	return vs, nil
}
