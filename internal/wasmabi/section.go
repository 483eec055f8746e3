// Package wasmabi holds the numbers of the interface between the WebAssembly guest
// and its hosts, and reads and writes the custom section of a module in which they
// stand, so that a host knows what a module is before it runs any of it.
package wasmabi

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// Section is the section in which the guest says what it is.
const Section = "privacy.abi"

// ErrNotModule reports bytes that are not a whole WebAssembly module.
var ErrNotModule = errors.New("wasmabi: not a whole WebAssembly module")

var magic = []byte("\x00asm\x01\x00\x00\x00")

// walk calls f with each section: its kind and the extent of the whole section and
// of its content.
func walk(module []byte, f func(kind byte, start, content, end int)) error {
	if !bytes.HasPrefix(module, magic) {
		return ErrNotModule
	}
	for at := len(magic); at < len(module); {
		size, n := binary.Uvarint(module[at+1:])
		content := at + 1 + n
		if n <= 0 || size > uint64(len(module)-content) {
			return ErrNotModule
		}
		end := content + int(size)
		f(module[at], at, content, end)
		at = end
	}
	return nil
}

// named splits the content of a custom section.
func named(content []byte) (name string, payload []byte, ok bool) {
	size, n := binary.Uvarint(content)
	if n <= 0 || size > uint64(len(content)-n) {
		return "", nil, false
	}
	return string(content[n : n+int(size)]), content[n+int(size):], true
}

// Read is the payload of the first custom section of a name; nil without one.
func Read(module []byte, name string) ([]byte, error) {
	var found []byte
	err := walk(module, func(kind byte, _, content, end int) {
		if kind != 0 || found != nil {
			return
		}
		if n, payload, ok := named(module[content:end]); ok && n == name {
			found = payload[:len(payload):len(payload)]
		}
	})
	return found, err
}

// Set returns the module with a custom section of a name at its end, in place of
// those of that name that it had.
func Set(module []byte, name string, payload []byte) ([]byte, error) {
	out := append([]byte(nil), magic...)
	err := walk(module, func(kind byte, start, content, end int) {
		if kind == 0 {
			if n, _, ok := named(module[content:end]); ok && n == name {
				return
			}
		}
		out = append(out, module[start:end]...)
	})
	if err != nil {
		return nil, err
	}
	content := binary.AppendUvarint(nil, uint64(len(name)))
	content = append(append(content, name...), payload...)
	out = binary.AppendUvarint(append(out, 0), uint64(len(content)))
	return append(out, content...), nil
}
