package privacy

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/privacy/pseudonym"
)

var errNoSecrets = errors.New("privacy: pseudonyms need secrets; open the guard with WithSecrets")

// maxScopes bounds the memory of a hostile stream of tenants: when so many scopes
// were seen, all are forgotten and derived again when asked for.
const maxScopes = 1 << 14

// pseudonyms remembers the derived keys of scopes. A tenant's are dropped as soon
// as its live secrets change, so that a destroyed secret makes no more tokens.
type pseudonyms struct {
	store   pseudonym.SecretStore
	mu      sync.Mutex
	tenants map[string]*tenant
	scopes  int
}

type tenant struct {
	versions []uint32
	byScope  map[pseudonym.Scope]*pseudonym.Pseudonymiser
}

// of returns what makes the tokens of a scope. The store, which may be a file or a
// service, is asked for the tenant's versions only if *versions is nil: once for each
// event, so that between two of them a secret that was destroyed is noticed.
func (p *pseudonyms) of(ctx context.Context, s pseudonym.Scope, versions *[]uint32) (_ *pseudonym.Pseudonymiser, err error) {
	if p.store == nil {
		return nil, errNoSecrets
	}
	if s.Tenant == "" || s.Purpose == "" || s.Category == "" {
		return pseudonym.New(ctx, p.store, s) // which says what is missing
	}
	if *versions == nil {
		if *versions, err = p.store.Versions(ctx, s.Tenant); err != nil {
			return nil, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.tenants[s.Tenant]
	if t != nil && slices.Equal(t.versions, *versions) {
		if made := t.byScope[s]; made != nil {
			return made, nil
		}
	}
	made, err := pseudonym.New(ctx, p.store, s)
	if err != nil {
		return nil, err
	}
	if p.scopes >= maxScopes || p.tenants == nil {
		p.tenants, p.scopes, t = map[string]*tenant{}, 0, nil
	}
	if t == nil || !slices.Equal(t.versions, *versions) {
		t = &tenant{slices.Clone(*versions), map[pseudonym.Scope]*pseudonym.Pseudonymiser{}}
		p.tenants[strings.Clone(s.Tenant)] = t
	}
	s = pseudonym.Scope{Tenant: strings.Clone(s.Tenant), Purpose: strings.Clone(s.Purpose), Category: strings.Clone(s.Category)}
	t.byScope[s] = made
	p.scopes++
	return made, nil
}

// outOfUse tells an error of a store that there is no secret to make tokens with from
// one that means that nobody knows.
func outOfUse(err error) bool {
	return errors.Is(err, pseudonym.ErrUnknown) || errors.Is(err, pseudonym.ErrDestroyed) || errors.Is(err, pseudonym.ErrPending)
}

// typed gives a text the type that its category calls for, in the spelling that
// the type demands. A phone number with its country loses the separators that
// people write.
func typed(category, text string) pseudonym.Value {
	switch {
	case profile.Under(category, "user.contact.email"):
		return pseudonym.Email(text)
	case profile.Under(category, "user.contact.phone_number"):
		if rest, ok := strings.CutPrefix(strings.TrimSpace(text), "+"); ok {
			digits := strings.Map(func(r rune) rune {
				if strings.ContainsRune(" -().\u00a0\u2011/", r) {
					return -1
				}
				return r
			}, rest)
			return pseudonym.Phone("+" + digits)
		}
	case profile.Under(category, "user.device.ip_address"):
		if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
			return pseudonym.IP(a)
		}
	}
	if u, ok := parseUUID(text); ok {
		return pseudonym.UUID(u)
	}
	return pseudonym.Text(text)
}

// parseUUID reads the 36-character form, also in the braces that Windows puts
// around it, in either case.
func parseUUID(s string) (u [16]byte, ok bool) {
	if len(s) == 38 && s[0] == '{' && s[37] == '}' {
		s = s[1:37]
	}
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return u, false
	}
	n := 0
	for i := 0; i < len(s); {
		if s[i] == '-' {
			i++
			continue
		}
		hi, lo := hexDigit(s[i]), hexDigit(s[i+1])
		if hi > 15 || lo > 15 {
			return u, false
		}
		u[n] = hi<<4 | lo
		n++
		i += 2
	}
	return u, true
}

func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 255
}
