package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/privacy/pseudonym"
)

// How what was found is replaced.
const (
	redactType      = "type"      // by the detector's id, in brackets
	redactMask      = "mask"      // by as many asterisks as it has characters
	redactPseudonym = "pseudonym" // by a token
)

// A redactor is what all finders of a run replace with.
type redactor struct {
	way             string
	tenant, purpose string
	store           pseudonym.SecretStore
}

// tokens are the pseudonymisers of one finder, by category.
type tokens map[string]*pseudonym.Pseudonymiser

// openRedactor reads the keys, if any are needed, and sees that they can be used.
func (f *scanFlags) openRedactor(ctx context.Context, e *env) (*redactor, error) {
	r := &redactor{way: f.redact, tenant: f.tenant, purpose: f.purpose}
	if r.way != redactPseudonym {
		return r, nil
	}
	var err error
	if r.store, err = f.keys.open(ctx); err != nil {
		return nil, err
	}
	switch _, err := r.of(ctx, "user"); {
	case errors.Is(err, pseudonym.ErrUnknown) || errors.Is(err, pseudonym.ErrDestroyed) || errors.Is(err, pseudonym.ErrPending):
		return nil, f.keys.noKeyForTenant(r.store)
	case errors.Is(err, pseudonym.ErrScope):
		return nil, mended("--tenant or --purpose cannot be used", "use 1 to 255 bytes of text; a purpose does not begin with _")
	case err != nil:
		return nil, err
	}
	if f.keys.file == "" {
		fmt.Fprintln(e.stderr, "privet: no --keys: pseudonyms are made with fresh development keys and will not join across runs")
	}
	return r, nil
}

func (r *redactor) of(ctx context.Context, category string) (*pseudonym.Pseudonymiser, error) {
	return pseudonym.New(ctx, r.store, pseudonym.Scope{Tenant: r.tenant, Purpose: r.purpose, Category: category})
}

// redact appends a text with its findings replaced.
func (f *finder) redact(dst []byte, text string) ([]byte, error) {
	at := 0
	for i := range f.findings {
		k := &f.findings[i]
		dst = append(dst, text[at:k.Start]...)
		var err error
		if dst, err = f.replace(dst, k, text[k.Start:k.End]); err != nil {
			return dst, err
		}
		at = k.End
	}
	return append(dst, text[at:]...), nil
}

// replace appends what stands in the place of a finding. What has no pseudonym gets
// a label: nothing passes because it is in the wrong form.
func (f *finder) replace(dst []byte, k *classify.Finding, value string) ([]byte, error) {
	r := f.s.redactor
	switch r.way {
	case redactMask:
		masked, _ := pseudonym.Mask(value, 0)
		return append(dst, masked...), nil
	case redactPseudonym:
		p := f.tokens[k.Category]
		if p == nil {
			var err error
			if p, err = r.of(context.Background(), k.Category); err != nil {
				return dst, err
			}
			if f.tokens == nil {
				f.tokens = tokens{}
			}
			f.tokens[k.Category] = p
		}
		if out, err := p.Append(dst, typedValue(k.Category, value)); err == nil {
			return out, nil
		}
		f.tally.labelled++
	}
	return appendLabel(dst, k.Detector), nil
}

// appendLabel appends a detector's id as a label: [EMAIL_ADDRESS].
func appendLabel(dst []byte, id string) []byte {
	dst = append(dst, '[')
	dst = append(dst, strings.ToUpper(strings.ReplaceAll(id, "-", "_"))...)
	return append(dst, ']')
}

// typedValue gives a value the type that its category calls for, as package privacy
// does for events, so that the tokens of both join. A test compares them.
func typedValue(category, text string) pseudonym.Value {
	switch {
	case profile.Under(category, "user.contact.email"):
		return pseudonym.Email(text)
	case profile.Under(category, "user.contact.phone_number"):
		if rest, ok := strings.CutPrefix(strings.TrimSpace(text), "+"); ok {
			return pseudonym.Phone("+" + strings.Map(func(r rune) rune {
				if strings.ContainsRune(" -().\u00a0\u2011/", r) {
					return -1
				}
				return r
			}, rest))
		}
	case profile.Under(category, "user.device.ip_address"):
		if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
			return pseudonym.IP(a)
		}
	}
	if u, ok := uuidOf(text); ok {
		return pseudonym.UUID(u)
	}
	return pseudonym.Text(text)
}

// uuidOf reads the form of 36 characters, also in braces.
func uuidOf(s string) (u [16]byte, ok bool) {
	if len(s) == 38 && s[0] == '{' && s[37] == '}' {
		s = s[1:37]
	}
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return u, false
	}
	digits := strings.ReplaceAll(s, "-", "")
	if len(digits) != 32 {
		return u, false
	}
	_, err := hex.Decode(u[:], []byte(digits))
	return u, err == nil
}
