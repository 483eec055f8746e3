package pseudonym

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"
)

// Day is the usual period of [Epochs].
const Day = 24 * time.Hour

// epochsSince is 2000-01-01: an earlier time is a clock that was not set, and no
// rotated secret has as high a version as any epoch after it.
const epochsSince = 946_684_800

// Epochs makes pseudonyms that join within an epoch, usually a day, and no longer:
// each epoch has a random secret of its own, and only this one's and the one before
// are kept. The token is a p1 token whose version is the number of the epoch:
//
//	version  floor(unix seconds / period in seconds)      a day begins at 00:00 UTC
//
// No clock is read: the time is that of the event or of the caller's clock. Make it
// with [NewEpochs]. Safe for concurrent use, also by several programs on one store.
type Epochs struct {
	store  Keeper
	random io.Reader
	period int64 // in seconds
}

// NewEpochs returns epochs of a period, [Day] or whole seconds from a minute to
// 31 days, whose secrets are made from random (use crypto/rand.Reader). The store, or
// the tenant in it, must be used for epochs of this period only. The error wraps
// [ErrOption].
func NewEpochs(store Keeper, random io.Reader, period time.Duration) (*Epochs, error) {
	switch {
	case store == nil:
		return nil, &fault{ErrOption, "no secret store: there is no pseudonym without a secret", nil}
	case random == nil:
		return nil, &fault{ErrOption, "no random source: pass crypto/rand.Reader", nil}
	case period < time.Minute || period > 31*Day || period%time.Second != 0:
		return nil, &fault{ErrOption, "period: must be whole seconds, from a minute to 31 days", nil}
	}
	return &Epochs{store, random, int64(period / time.Second)}, nil
}

// Version returns the number of the epoch that at lies in. The error wraps
// [ErrOption] for a time before 2000, which is a clock that was not set, and for one
// beyond 32 bits.
func (e *Epochs) Version(at time.Time) (uint32, error) {
	unix := at.Unix()
	if e.store == nil {
		return 0, errNoEpochs
	}
	if unix < epochsSince || unix/e.period >= 1<<32 {
		return 0, &fault{ErrOption, "time: is before 2000 or too far ahead: is the clock set?", nil}
	}
	return uint32(unix / e.period), nil
}

// Start returns when an epoch begins, in UTC.
func (e *Epochs) Start(version uint32) time.Time {
	return time.Unix(int64(version)*e.period, 0).UTC()
}

// Due returns from when on the secret of an epoch is no longer kept: two periods
// after the start of the epoch, which is 48 hours for [Day].
func (e *Epochs) Due(version uint32) time.Time {
	return time.Unix((int64(version)+2)*e.period, 0).UTC()
}

// New returns the Pseudonymiser of the epoch that now lies in. It writes with that
// epoch's secret, which is made if there is none, and its Candidates are this
// epoch's token and that of the one before, if that has a secret: that is how a visit
// is followed across midnight. Make a new one when [Epochs.Version] changes.
//
// An epoch that is over by two periods, as the store knows it, is refused with
// [ErrDestroyed]; other errors are those of [New] and of the store.
func (e *Epochs) New(ctx context.Context, s Scope, now time.Time, opts ...Option) (*Pseudonymiser, error) {
	c, err := configured(s, opts)
	if err != nil {
		return nil, err
	}
	version, err := e.ensure(ctx, s.Tenant, now)
	if err != nil {
		return nil, err
	}
	p := &Pseudonymiser{idLength: c.idLength, scope: &s}
	for _, v := range []uint32{version, version - 1} {
		secret, err := e.store.Secret(ctx, s.Tenant, v)
		if err != nil && v != version && (errors.Is(err, ErrUnknown) || errors.Is(err, ErrDestroyed) || errors.Is(err, ErrPending)) {
			break // nobody came yesterday, or it was destroyed early
		}
		if err == nil && secret.b == nil {
			err = ErrSecret
		}
		if err != nil {
			return nil, &StoreError{Version: v, Err: err}
		}
		k, err := newKey(secret.b.p, s, v)
		if err != nil {
			return nil, &StoreError{Version: v, Err: err}
		}
		p.keys = append(p.keys, k)
	}
	return p, nil
}

// Turn makes the secret of the epoch that now lies in, if there is none, and destroys
// those of all epochs before the previous one, which are due: call it at the beginning
// of each epoch and at the start of the program, with d saying who does it; d.At is
// set to now. It returns the epochs whose secrets it destroyed, oldest first.
//
// What a hold covers stays; the error wraps [ErrHeld] and the others are destroyed all
// the same. A secret that cannot be an epoch's is an error wrapping [ErrScope] before
// anything is destroyed: the tenant's other secrets lie in the same store.
func (e *Epochs) Turn(ctx context.Context, tenant string, now time.Time, d Destruction) ([]uint32, error) {
	if err := checkPart("tenant", tenant); err != nil {
		return nil, err
	}
	current, err := e.ensure(ctx, tenant, now)
	if err != nil {
		return nil, err
	}
	versions, err := e.store.Versions(ctx, tenant)
	if err != nil {
		return nil, &StoreError{Err: err}
	}
	versions = slices.Sorted(slices.Values(versions))
	if err := e.check(versions); err != nil {
		return nil, err
	}
	d.At = now
	var done []uint32
	var faults []error
	for _, v := range versions {
		if v+1 >= current {
			break
		}
		if err := e.store.Destroy(ctx, tenant, v, d); err != nil {
			faults = append(faults, &StoreError{Version: v, Err: err})
			continue
		}
		done = append(done, v)
	}
	return done, errors.Join(faults...)
}

// ensure makes the secret of an epoch unless there is one, or it is over.
func (e *Epochs) ensure(ctx context.Context, tenant string, now time.Time) (uint32, error) {
	version, err := e.Version(now)
	if err != nil {
		return 0, err
	}
	_, err = e.store.Secret(ctx, tenant, version)
	if err == nil {
		return version, nil
	}
	if !errors.Is(err, ErrUnknown) {
		return 0, &StoreError{Version: version, Err: err}
	}
	live, err := e.store.Versions(ctx, tenant)
	switch {
	case err == nil:
		if err := e.check(live); err != nil {
			return 0, err
		}
		// A late event must not make a secret for a day that is long over, which
		// would stay until the next turn.
		if slices.ContainsFunc(live, func(v uint32) bool { return v > version+1 }) {
			return 0, &StoreError{Version: version, Err: ErrDestroyed}
		}
	case !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrDestroyed) && !errors.Is(err, ErrPending):
		return 0, &StoreError{Err: err}
	}
	// Another program may be faster, which is as good.
	if err := e.store.Make(ctx, tenant, version, e.random); err != nil && !errors.Is(err, ErrExists) {
		return 0, &StoreError{Version: version, Err: err}
	}
	return version, nil
}

// check refuses secrets that are no epochs, before they are taken for outdated ones.
func (e *Epochs) check(versions []uint32) error {
	if slices.ContainsFunc(versions, func(v uint32) bool { return int64(v) < epochsSince/e.period }) {
		return &fault{ErrScope, "the tenant has secrets that are no epochs: give epochs a store or a tenant of their own", nil}
	}
	return nil
}

var errNoEpochs = errors.New("pseudonym: zero Epochs: make one with NewEpochs")
