package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/internal/keyfile"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/signature"
)

func newKeygen(e *env) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "keygen",
		Short: "Make a key that signs bundles",
		Long: `Keygen makes an Ed25519 key. The private half goes into the file that --out names
(PEM, PKCS #8, readable by you alone): keep it where bundles are released, and
nowhere else. The public half goes beside it into a file of the same name with .pub
(PEM, PKIX): give it to every service that opens bundles. A file that exists is
never written over.

These keys vouch for policies. The secrets that pseudonyms are made with are
something else; see privet keys --help.`,
		Example: `  privet keygen --out release.key
  privet compile policy.yaml -o policy.bundle --sign release.key
  privet process --policy policy.bundle --public-key release.key.pub events.jsonl results.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if out == "" || out == "-" {
				return mended("where to?", "name a file: privet keygen --out release.key")
			}
			pub, key, err := ed25519.GenerateKey(rand.Reader)
			if err != nil {
				return err
			}
			if err := writeKeys(out, key); err != nil {
				return err
			}
			fmt.Fprintf(e.stderr, "key %s: private in %s, public in %s\n", signature.KeyID(pub), out, out+".pub")
			return nil
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "", "`file` for the private key; the public one gets .pub at its end")
	return c
}

// writeKeys writes both halves of a key, or nothing.
func writeKeys(path string, key ed25519.PrivateKey) error {
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := writeNew(path, pem.EncodeToMemory(&pem.Block{Type: keyfile.PrivateBlock, Bytes: private}), 0o600); err != nil {
		return err
	}
	if err := writeNew(path+".pub", pem.EncodeToMemory(&pem.Block{Type: keyfile.PublicBlock, Bytes: public}), 0o644); err != nil {
		os.Remove(path) // made a moment ago, and nobody knows it yet
		return err
	}
	return nil
}

// writeNew writes a file whole under a name that is not taken. A link, unlike a
// rename, never replaces what is there.
func writeNew(path string, data []byte, mode fs.FileMode) error {
	fail := func(err error) error {
		if errors.Is(err, fs.ErrExist) {
			return mended("the key file "+path+" exists and is not written over", "choose another name, or move it away")
		}
		return fmt.Errorf("cannot write the key file %s: %s", path, fileProblem(err))
	}
	if _, err := os.Lstat(path); err == nil {
		return fail(fs.ErrExist)
	}
	// CreateTemp makes files that only their owner reads.
	file, err := os.CreateTemp(filepath.Dir(path), ".privet-key-*.tmp")
	if err != nil {
		return fail(err)
	}
	defer os.Remove(file.Name())
	_, err = file.Write(data)
	if err == nil {
		err = file.Chmod(mode)
	}
	if err == nil {
		err = file.Sync()
	}
	if e := file.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Link(file.Name(), path)
	}
	if err != nil {
		var link *os.LinkError
		if errors.As(err, &link) {
			err = link.Err
		}
		return fail(err)
	}
	return nil
}

// pins are the flags that say which bundles are accepted.
type pins struct {
	files   []string
	minimum string
}

func (p *pins) register(c *cobra.Command) {
	c.Flags().StringArrayVar(&p.files, "public-key", nil, "accept only a policy signed by a key in this `file`; give it again for more keys")
	c.Flags().StringVar(&p.minimum, "minimum", "", "accept only this policy, and no older version, as `name:version`")
}

func (p *pins) given() bool { return len(p.files) > 0 || p.minimum != "" }

// options are what Open takes for the flags.
func (p *pins) options() ([]privacy.Option, error) {
	var options []privacy.Option
	keys, err := p.keys()
	if err != nil {
		return nil, err
	}
	if keys != nil {
		options = append(options, signature.Pin(keys...))
	}
	if p.minimum != "" {
		name, number, ok := strings.Cut(p.minimum, ":")
		version, err := strconv.ParseUint(number, 10, 64)
		if !ok || name == "" || err != nil || version > math.MaxInt64 {
			return nil, mended("--minimum is not a name and a version", "write for example: --minimum acme-orders:3")
		}
		options = append(options, privacy.WithMinimumVersion(name, version))
	}
	return options, nil
}

// load reads a policy that the flags accept, for commands that open no guard.
func (p *pins) load(where string) (*privacy.Bundle, error) {
	options, err := p.options()
	if err != nil {
		return nil, err
	}
	b, err := loadPolicy(where)
	if err != nil || len(options) == 0 {
		return b, err
	}
	if _, err := privacy.Open(b, options...); err != nil {
		return nil, err
	}
	return b, nil
}

// keys are the keys of all files; nil if none was named.
func (p *pins) keys() ([]ed25519.PublicKey, error) {
	var keys []ed25519.PublicKey
	for _, path := range p.files {
		more, err := keyfile.Public(path)
		if err != nil {
			return nil, err
		}
		keys = append(keys, more...)
	}
	return keys, nil
}
