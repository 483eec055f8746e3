package emit

import (
	"encoding/hex"
	"strconv"

	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/internal/jsondoc"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/wasmabi"
)

// section is what a host can read before it runs anything.
func section(b *bundle.Bundle, content []byte, s *bundle.Signature, maxInput, maxMemory int) []byte {
	var w jsondoc.Writer
	w.Open('{')
	version(&w)
	w.Name("fingerprint")
	w.String(bundle.Fingerprint(content))
	w.Name("kind")
	w.String("classifier")
	wasmabi.WriteNumber(&w, "max_input", int64(maxInput))
	wasmabi.WriteNumber(&w, "max_memory", int64(maxMemory))
	w.Name("policy")
	w.Open('{')
	w.Name("name")
	w.String(b.Name)
	w.Name("version")
	w.Raw(strconv.FormatUint(b.Version, 10))
	w.Close('}')
	wasmabi.WriteNumber(&w, "profile", profile.Version)
	if s != nil {
		// The signature is that of the bundle, whose fingerprint stands above.
		w.Name("signature")
		w.Open('{')
		w.Name("key")
		w.String(hex.EncodeToString(s.Key[:]))
		w.Name("value")
		w.String(hex.EncodeToString(s.Value[:]))
		w.Close('}')
	}
	w.Close('}')
	return w.Buf
}
