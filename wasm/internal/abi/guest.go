package abi

import (
	"context"
	"encoding/binary"
	"runtime"
	"unicode/utf8"
	"unsafe"

	"github.com/privetdev/privet/internal/jsondoc"
	"github.com/privetdev/privet/internal/wasmabi"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/privacy/pseudonym"
)

// A Descriptor says where the result of the last call is. In a module its 16 bytes
// stand at a fixed address.
type Descriptor struct {
	Ptr   uint32
	Len   uint32
	Code  int32 // what the call returned
	Flags uint32
}

// A Guest is the state of one instance. The zero Guest is ready to use. It serves
// one caller at a time. No method panics, whatever it is given.
type Guest struct {
	// buffers are what the host has allocated, by address. That they stand here
	// keeps the garbage collector from freeing what only the host knows of, and
	// lets a wrong pointer be refused instead of followed.
	buffers map[uint32][]byte
	bytes   int
	opened  map[int32]*policy
	last    int32 // highest handle ever given: a closed handle never comes back
	calls   uint64
	out     []byte // memory for results, used again
	held    []byte // the last result, which the host may still read
	load    int    // calls, and KiB that went in and out, since the heap was last looked at
	memory  runtime.MemStats
	result  Descriptor
}

// A policy is what stands behind a handle.
type policy struct {
	guard   *privacy.Guard
	secrets *pseudonym.Memory
}

// address is where a buffer begins. In a module it is the address that the host
// sees; elsewhere it only has to tell buffers apart.
func address(b []byte) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }

// Alloc gives the host a buffer of n bytes, all zero, and returns its address, or
// 0 if the limits do not allow it; the result then says why.
func (g *Guest) Alloc(n int32) (at uint32) {
	defer g.recovered(nil)
	switch {
	case n < 0 || n > wasmabi.MaxBuffer:
		g.fail(&fault{privacy.CodeTooLarge, "a buffer holds at most 16 MiB", "send less at once"})
		return 0
	case len(g.buffers) >= wasmabi.MaxBuffers || g.bytes+int(n) > wasmabi.MaxBytes:
		g.fail(&fault{codeTooManyBuffers, "too many buffers are held at once", "free what was sent, or use one buffer again"})
		return 0
	}
	b := make([]byte, max(n, 1))[:n]
	if g.buffers == nil {
		g.buffers = map[uint32][]byte{}
	}
	at = address(b)
	g.buffers[at] = b
	g.bytes += int(n)
	return at
}

// Free takes a buffer back. What is no buffer is left alone.
func (g *Guest) Free(at uint32) {
	g.bytes -= len(g.buffers[at])
	delete(g.buffers, at)
}

// at is the first n bytes of a buffer.
func (g *Guest) at(ptr uint32, n int32) ([]byte, bool) {
	if n == 0 && ptr == 0 {
		return nil, true
	}
	b, ok := g.buffers[ptr]
	if !ok || n < 0 || int(n) > len(b) {
		g.fail(&fault{codeBadPointer, "no buffer of that length was allocated there", "write into a buffer of " + wasmabi.Prefix + "alloc, from its beginning"})
		return nil, false
	}
	return b[:n], true
}

// Buffer is the whole buffer at an address, for hosts that share the memory.
func (g *Guest) Buffer(at uint32) []byte { return g.buffers[at] }

// Open opens the bundle in a buffer and returns its handle, or an error's status.
func (g *Guest) Open(ptr uint32, n int32) (handle int32) {
	defer g.recovered(&handle)
	in, ok := g.at(ptr, n)
	if !ok {
		return g.result.Code
	}
	if len(g.opened) >= wasmabi.MaxHandles || g.last == 1<<31-1 {
		return g.fail(&fault{codeTooManyHandles, "too many policies are open at once", "close one that is no longer needed"})
	}
	p, err := open(in)
	if err != nil {
		return g.fail(err)
	}
	if g.opened == nil {
		g.opened = map[int32]*policy{}
	}
	g.last++
	g.opened[g.last] = p
	info := p.guard.Policy()
	g.answer(StatusOK, info.AppendJSON(g.out[:0]))
	return g.last
}

func open(data []byte) (*policy, error) {
	b, err := privacy.ReadBundle(data)
	if err != nil {
		return nil, err
	}
	p := &policy{secrets: new(pseudonym.Memory)}
	if p.guard, err = privacy.Open(b, privacy.WithSecrets(p.secrets)); err != nil {
		return nil, notHere(err)
	}
	return p, nil
}

// notHere makes sure that a whole bundle which cannot be opened is told from a
// fault of this module.
func notHere(err error) error {
	if privacy.ErrorCode(err) == privacy.CodeInternal {
		return &fault{privacy.CodeBadPolicy, "the policy cannot be opened here", "does it name a time zone that is not known? compile it with this version"}
	}
	return err
}

// Close forgets a policy and its secrets.
func (g *Guest) Close(handle int32) (status int32) {
	defer g.recovered(&status)
	if g.opened[handle] == nil {
		return g.fail(errHandle)
	}
	delete(g.opened, handle)
	return g.answer(StatusOK, g.out[:0])
}

var errHandle = &fault{codeBadHandle, "no policy is open under this handle", "open a bundle first"}

// Call asks a policy, or with handle 0 the module itself. The request is in a
// buffer. The result stands where Result says, until the next method.
func (g *Guest) Call(handle, op int32, ptr uint32, n int32) (status int32) {
	defer g.recovered(&status)
	g.calls++
	in, ok := g.at(ptr, n)
	if !ok {
		return g.result.Code
	}
	return g.call(handle, wasmabi.Op(op), in)
}

func (g *Guest) call(handle int32, op wasmabi.Op, in []byte) int32 {
	known, noPolicy := false, false
	for i := range wasmabi.Ops {
		if wasmabi.Ops[i].Op == op {
			known, noPolicy = true, wasmabi.Ops[i].NoPolicy
		}
	}
	if !known {
		return g.fail(&fault{codeUnknownOp, "this version does not know the operation", "see the list of operations in the custom section privacy.abi"})
	}
	p := g.opened[handle]
	if p == nil && (handle != 0 || !noPolicy) {
		return g.fail(errHandle)
	}
	g.collect(len(in))
	out, status, err := g.do(p, op, in)
	if err != nil {
		return g.fail(err)
	}
	return g.answer(status, out)
}

// collect frees what is no longer used, when it is time. In a module the runtime
// begins a collection only while it schedules, and a call that answers at once
// never gives it the chance: without this the heap grows with every call.
func (g *Guest) collect(bytes int) {
	const often = 1024
	if g.load += 1 + (bytes+int(g.result.Len))>>10; g.load < often {
		return
	}
	g.load = 0
	runtime.ReadMemStats(&g.memory)
	if g.memory.HeapAlloc >= g.memory.NextGC {
		runtime.GC()
	}
}

func (g *Guest) do(p *policy, op wasmabi.Op, in []byte) (out []byte, status Status, err error) {
	ctx, out := context.Background(), g.out[:0]
	switch op {
	case wasmabi.OpDescribe:
		if p == nil {
			return wasmabi.AppendInfo(out, ""), StatusOK, nil
		}
		return p.guard.DescribeJSON(out), StatusOK, nil
	case wasmabi.OpClassify:
		out, err = p.guard.ClassifyJSON(out, in)
	case wasmabi.OpHash:
		out, err = p.guard.PseudonymiseJSON(ctx, out, in)
	case wasmabi.OpConsent:
		out, err = p.guard.DecideJSON(ctx, out, in)
		status = outcome(out)
	case wasmabi.OpRetention:
		out, err = p.guard.PlanJSON(out, in)
	case wasmabi.OpExplain, wasmabi.OpProcess:
		out, err = p.guard.ProcessJSON(ctx, out, in, op == wasmabi.OpExplain)
		status = outcome(out)
	case wasmabi.OpValidate:
		var other *policy
		if other, err = open(in); err == nil {
			out = other.guard.Policy().AppendJSON(out)
		}
	case wasmabi.OpSelftest:
		return selftest(out)
	case wasmabi.OpStats:
		out = g.stats(out)
	case wasmabi.OpAddSecret:
		err = addSecret(p.secrets, in)
	}
	return out, status, err
}

const secretHeader = 4 + 2

// addSecret reads version (u32), length of the tenant (u16), tenant and secret (32
// bytes), little-endian, and zeroes what it has read.
func addSecret(store *pseudonym.Memory, in []byte) error {
	defer clear(in)
	malformed := &fault{privacy.CodeBadRequest, "not a secret", "write version (u32), length of the tenant (u16), tenant, secret (32 bytes), little-endian"}
	if len(in) < secretHeader {
		return malformed
	}
	version, n := binary.LittleEndian.Uint32(in), int(binary.LittleEndian.Uint16(in[4:]))
	rest := in[secretHeader:]
	if len(rest) != n+pseudonym.SecretSize || !utf8.Valid(rest[:n]) {
		return malformed
	}
	secret, err := pseudonym.NewSecret(rest[n:])
	if err != nil {
		return err
	}
	return store.Add(string(rest[:n]), version, secret)
}

func (g *Guest) stats(dst []byte) []byte {
	m := &g.memory
	runtime.ReadMemStats(m)
	w := jsondoc.Writer{Buf: dst}
	number := func(name string, n uint64) { wasmabi.WriteNumber(&w, name, int64(n)) }
	w.Open('{')
	number("buffers", uint64(len(g.buffers)))
	number("buffers_bytes", uint64(g.bytes))
	number("calls", g.calls)
	number("collections", uint64(m.NumGC))
	number("handles", uint64(len(g.opened)))
	number("heap_bytes", m.HeapAlloc)
	number("system_bytes", m.Sys)
	w.Close('}')
	return w.Buf
}

// maxKept is how large a result's memory may be to be used again.
const maxKept = 1 << 20

func (g *Guest) answer(status Status, out []byte) int32 {
	g.out = out
	if cap(g.out) > maxKept {
		g.out = nil
	}
	g.keep(out)
	g.result.Code, g.result.Flags = int32(status), 0
	return int32(status)
}

// keep points the descriptor at a result.
func (g *Guest) keep(out []byte) {
	g.held = out
	g.result.Ptr, g.result.Len = 0, uint32(len(out))
	if len(out) > 0 {
		g.result.Ptr = address(out)
	}
}

func (g *Guest) fail(err error) int32 {
	out, status := appendError(g.out[:0], err)
	return g.answer(status, out)
}

// recovered turns a panic into an error. Its text is not shown: it could hold data.
func (g *Guest) recovered(status *int32) {
	if recover() == nil {
		return
	}
	s := g.fail(&fault{privacy.CodeInternal, "a fault of this module", "discard the instance, and report what was called"})
	if status != nil {
		*status = s
	}
}

// Result is the descriptor of the last result.
func (g *Guest) Result() *Descriptor { return &g.result }

// outcome finds the status in a result, which is JSON of this module: the member
// outcome of the outermost object.
func outcome(result []byte) Status {
	depth := 0
	for i := 0; i < len(result); i++ {
		switch result[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			start := i + 1
			for i++; i < len(result) && result[i] != '"'; i++ {
				if result[i] == '\\' {
					i++
				}
			}
			const key = `outcome":"`
			if depth == 1 && i < len(result) && len(result)-start > len(key) && string(result[start:start+len(key)]) == key {
				end := start + len(key)
				for end < len(result) && result[end] != '"' {
					end++
				}
				return outcomes[string(result[start+len(key):end])]
			}
		}
	}
	return StatusOK
}
