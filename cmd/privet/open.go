package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/privetdev/privet/consent/ledger"
	"github.com/privetdev/privet/internal/consentcmd"
	"github.com/privetdev/privet/internal/source"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/policy"
	"github.com/privetdev/privet/privacy/pseudonym"
	"github.com/privetdev/privet/privacy/pseudonym/secretfile"
)

// defaultPolicy is what runs when nobody says otherwise.
const defaultPolicy = "pack:windows-service-data"

// loadPolicy reads a policy from where --policy says: pack:NAME, a YAML file, or
// a bundle that `privet compile` wrote.
func loadPolicy(where string) (*privacy.Bundle, error) {
	if name, ok := strings.CutPrefix(where, "pack:"); ok {
		b, err := policy.Pack(name)
		if err != nil {
			var faults *policy.Error
			if errors.As(err, &faults) {
				return nil, err
			}
			return nil, mended("there is no pack "+strconv.Quote(name), source.DidYouMean(name, policy.Packs()))
		}
		return b, nil
	}
	if err := regularFile("policy", where, "name the policy file in it"); err != nil {
		return nil, err
	}
	file, err := os.Open(where)
	if err != nil {
		return nil, fmt.Errorf("cannot read the policy %s: %s", where, fileProblem(err))
	}
	defer file.Close()
	// A bundle is at most 16 MiB and YAML is far smaller: more is neither.
	data, err := io.ReadAll(io.LimitReader(file, 17<<20))
	if err != nil {
		return nil, fmt.Errorf("cannot read the policy %s: %s", where, fileProblem(err))
	}
	b, err := privacy.ReadBundle(data)
	if errors.Is(err, privacy.ErrNotBundle) {
		return policy.CompileFile(where)
	}
	if err != nil {
		return nil, mended(fmt.Sprintf("the bundle %s cannot be read: %v", where, err), "make it again with privet compile")
	}
	return b, nil
}

// regularFile gives a folder and a missing file an answer of their own.
func regularFile(what, path, mend string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("cannot read the %s %s: %s", what, path, fileProblem(err))
	case info.IsDir():
		return mended(what+": "+path+" is a folder", mend)
	}
	return nil
}

// mended is an error with a way out.
func mended(problem, mend string) error {
	if mend == "" {
		return errors.New(problem)
	}
	return errors.New(problem + "; " + mend)
}

// keysFlags name the secrets of pseudonyms.
type keysFlags struct{ file, tombstones string }

func (f *keysFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.file, "keys", "", "secrets of pseudonyms: a `store` that privet keys made, opened by the key in "+keyVariable+", or a plain file with lines \"tenant version secret\" (default: fresh ones for this run)")
	flags.StringVar(&f.tombstones, "tombstones", "", "`file` of the store's tombstones (default: the store's name with .tombstones)")
}

// open opens what the flags name. A store stays open: what privet keys does to it
// counts from the next event on.
func (f *keysFlags) open(ctx context.Context) (pseudonym.SecretStore, error) {
	if f.file == "" {
		if f.tombstones != "" {
			return nil, mended("--tombstones belong to a store", "name it with --keys")
		}
		// Made for this run.
		return pseudonym.NewDevelopmentStore(rand.Reader), nil
	}
	if err := regularFile("keys", f.file, "name the file in it"); err != nil {
		return nil, err
	}
	file, err := os.Open(f.file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the keys %s: %s", f.file, fileProblem(err))
	}
	defer file.Close()
	// What is read is not read again, as the file may be a pipe.
	text := bufio.NewReader(file)
	if head, _ := text.Peek(64); secretfile.IsStore(head) {
		store := secretsFlags{variable: keyVariable, tombstones: f.tombstones}
		return store.open(ctx, f.file)
	}
	if f.tombstones != "" {
		return nil, mended("keys: "+f.file+" is a plain file of keys, which has no tombstones", "leave --tombstones out, or name a store: privet keys init --help")
	}
	return readKeys(text, f.file)
}

// noKeyForTenant says how a tenant gets its first secret.
func (f *keysFlags) noKeyForTenant(store pseudonym.SecretStore) error {
	if _, ok := store.(*secretfile.Store); ok {
		return mended("keys: there is none in use for this tenant", "make one with: privet keys rotate "+f.file+" TENANT")
	}
	return mended("keys: there is none for this tenant", "add a line to the file: tenant version secret")
}

// readKeys reads secrets from a plain file: one a line, "tenant version secret", the
// secret being 32 random bytes in base64. Lines that begin with # are comments. Errors
// name lines, never what is in them.
func readKeys(from io.Reader, path string) (*pseudonym.Memory, error) {
	store := &pseudonym.Memory{}
	return store, eachKey(from, path, func(tenant string, version uint32, b []byte) error {
		secret, err := pseudonym.NewSecret(b)
		if err != nil {
			return err
		}
		return store.Add(tenant, version, secret)
	})
}

// eachKey calls add for each secret of a plain file, and says in its own words what add
// has to say.
func eachKey(from io.Reader, path string, add func(tenant string, version uint32, secret []byte) error) error {
	number, found := 0, 0
	fail := func(problem, mend string) error {
		return mended(fmt.Sprintf("keys: %s: line %d: %s", path, number, problem), mend)
	}
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		number++
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.Fields(line)
		if len(parts) != 3 {
			return fail("not three words", "write: tenant version secret")
		}
		version, err := strconv.ParseUint(parts[1], 10, 32)
		if err != nil || version == 0 {
			return fail("the version is not a number from 1", "write: tenant 1 secret")
		}
		raw, err := base64.StdEncoding.DecodeString(parts[2])
		if err != nil {
			return fail("the secret is not base64", "make one with: head -c 32 /dev/urandom | base64")
		}
		switch err := add(parts[0], uint32(version), raw); {
		case errors.Is(err, pseudonym.ErrSecret):
			return fail("the secret is not 32 random bytes", "make one with: head -c 32 /dev/urandom | base64")
		case errors.Is(err, pseudonym.ErrExists):
			return fail("this tenant has a secret of that version already", "give a new secret the next version")
		case err != nil:
			return fail("the tenant cannot be used", "use 1 to 255 bytes of printable text")
		}
		found++
	}
	if err := lines.Err(); err != nil {
		number++
		return fail("cannot be read", "is it a file of keys?")
	}
	if found == 0 {
		return mended("keys: "+path+" has no key", "write one a line: tenant version secret")
	}
	return nil
}

// loadLedger opens a history of consent: a ledger in a folder, or a file with one
// JSON object a line.
func loadLedger(ctx context.Context, place consentcmd.Place, maxLine int) (*ledger.Ledger, error) {
	path := place.Ledger
	if consentcmd.IsLedger(path) {
		return consentcmd.Open(ctx, place, consentcmd.Reading, nil)
	}
	if place.Keys != "" {
		return nil, mended("--subject-keys belong to a ledger in a folder", "leave them out for a file of JSON lines")
	}
	if err := regularFile("ledger", path, "name the file in it"); err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the ledger %s: %s", path, fileProblem(err))
	}
	defer file.Close()
	memory, lines := ledger.NewMemory(), newLineReader(file, nil, maxLine)
	fail := func(number int, problem, mend string) error {
		return mended(fmt.Sprintf("ledger: %s: line %d: %s", path, number, problem), mend)
	}
	for {
		b, err := lines.next()
		if errors.Is(err, io.EOF) {
			return memory, nil
		}
		if err != nil {
			return nil, fmt.Errorf("cannot read the ledger %s: %s", path, fileProblem(err))
		}
		if b.skip {
			return nil, fail(b.first, tooLong(maxLine).text, "")
		}
		number := b.first - 1
		for text := range bytes.Lines(b.text) {
			number++
			if text = bytes.TrimSpace(text); len(text) == 0 {
				continue
			}
			event, err := consentcmd.ParseEvent(text)
			if err != nil {
				return nil, fail(number, err.Error(), consentcmd.LineMend)
			}
			if err := consentcmd.Record(ctx, memory, event); err != nil {
				var fault *ledger.EventError
				if errors.As(err, &fault) {
					return nil, fail(number, fault.Part+": "+fault.Problem, fault.Mend)
				}
				return nil, fail(number, err.Error(), "")
			}
		}
		lines.release(b)
	}
}
