// Package keyfile reads the Ed25519 keys that sign bundles and heads of ledgers,
// from the PEM files that privet keygen writes. Its errors name the file and never
// show what is in it.
package keyfile

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// The types of the PEM blocks.
const (
	PrivateBlock = "PRIVATE KEY" // PKCS #8
	PublicBlock  = "PUBLIC KEY"  // PKIX
)

// maxFile bounds what is read as keys, in bytes.
const maxFile = 64 << 10

// fault is an error with a way out.
func fault(problem, mend string) error { return errors.New(problem + "; " + mend) }

// blocks reads the PEM blocks of a file.
func blocks(what, path string) ([]*pem.Block, error) {
	data, err := read(what, path)
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fault(what+": "+path+" is larger than 64 KiB", "is it the right file?")
	}
	var all []*pem.Block
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		all, data = append(all, block), rest
	}
	// A block that is cut short is no block to package pem: it would be passed over
	// in silence, and with it a key that somebody relies on.
	if len(all) == 0 || bytes.Contains(data, []byte("-----BEGIN")) {
		return nil, fault(what+": "+path+" is not a whole PEM file", "make keys with: privet keygen")
	}
	return all, nil
}

func read(what, path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return nil, fault(what+": "+path+" is a folder", "name the file in it")
	}
	var file *os.File
	if err == nil {
		file, err = os.Open(path)
	}
	var data []byte
	if err == nil {
		defer file.Close()
		data, err = io.ReadAll(io.LimitReader(file, maxFile+1))
	}
	var inner *fs.PathError
	if errors.As(err, &inner) {
		err = inner.Err
	}
	switch {
	case err == nil:
		return data, nil
	case errors.Is(err, fs.ErrNotExist):
		err = errors.New("there is no such file")
	case errors.Is(err, fs.ErrPermission):
		err = errors.New("permission denied")
	}
	return nil, fmt.Errorf("cannot read the %s %s: %w", what, path, err)
}

// Signer reads the one private key of a file.
func Signer(path string) (ed25519.PrivateKey, error) {
	const what = "signing key"
	all, err := blocks(what, path)
	if err != nil {
		return nil, err
	}
	switch block := all[0]; {
	case len(all) > 1:
		return nil, fault(what+": "+path+" holds more than one key", "sign with one")
	case block.Type == PublicBlock:
		return nil, fault(what+": "+path+" is a public key", "name the private one, the file without .pub")
	case block.Type == "ENCRYPTED PRIVATE KEY":
		return nil, fault(what+": "+path+" is locked with a passphrase", "unlock it first: openssl pkey -in "+path+" -out FILE")
	case block.Type == PrivateBlock:
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if key, ok := key.(ed25519.PrivateKey); ok && err == nil {
			return key, nil
		}
	}
	return nil, fault(what+": "+path+" is not an Ed25519 key in PKCS #8", "make one with: privet keygen")
}

// Public reads the public keys of a file, one or several.
func Public(path string) ([]ed25519.PublicKey, error) {
	const what = "public key"
	all, err := blocks(what, path)
	if err != nil {
		return nil, err
	}
	var keys []ed25519.PublicKey
	for _, block := range all {
		if strings.HasSuffix(block.Type, PrivateBlock) {
			return nil, fault(what+": "+path+" is a private key", "name the public one, which ends in .pub, and keep this one to yourself")
		}
		parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
		key, ok := parsed.(ed25519.PublicKey)
		if err != nil || !ok || block.Type != PublicBlock {
			return nil, fault(what+": "+path+" is not an Ed25519 key in PKIX", "make one with: privet keygen")
		}
		keys = append(keys, key)
	}
	return keys, nil
}
