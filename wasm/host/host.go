// Package host runs the WebAssembly guest (privet.wasm) inside a Go program.
//
// Go programs use package privacy: it answers with the same bytes, faster. This
// package is for two things. It runs a policy in a sandbox, with a memory of its
// own and no file, network, clock or environment to reach; and it proves that the
// module answers as the native packages do, which is how the shared cases use it.
//
// Start with [Open], which compiles a module once, and [Module.Guard], which opens
// a policy in it. Requests and answers are JSON as wasm/ABI.md describes it.
//
// A classifier module is another thing: one policy's rules and detectors compiled to
// WebAssembly, kilobytes without imports. [OpenClassifier] runs it.
package host

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/privetdev/privet/internal/wasmabi"
)

// An Option configures [Open]. Options apply in order; the last one wins.
type Option interface{ apply(*config) }

type config struct {
	cache       string
	memory      int64
	instances   int
	interpreted bool
	interrupted bool // see WithInterrupt
}

type optionFunc func(*config)

func (f optionFunc) apply(c *config) { f(c) }

// WithCache keeps compiled modules in a directory, which is made if it is not
// there. Compiling takes seconds, reading a compiled module a fraction of one. The
// directory holds code that will be run: nobody else may write into it.
func WithCache(directory string) Option { return optionFunc(func(c *config) { c.cache = directory }) }

// WithMemoryLimit bounds the memory of one instance in bytes, rounded up to 64 KiB
// and at most 4 GiB. Without it the limit is 512 MiB. An instance that needs more
// is lost, and the call fails with [ErrLost].
func WithMemoryLimit(bytes int64) Option { return optionFunc(func(c *config) { c.memory = bytes }) }

// WithInstances sets how many calls of one [Guard] may run at once, each in an
// instance of its own that holds the policy. Without it there is one.
func WithInstances(n int) Option { return optionFunc(func(c *config) { c.instances = n }) }

// WithInterpreter interprets the module and does not compile it: it starts at once,
// on every platform, and answers many times slower.
func WithInterpreter() Option { return optionFunc(func(c *config) { c.interpreted = true }) }

// Errors of this package. Errors of the module are an [*Error].
var (
	// ErrNotModule reports bytes that are not a module of this interface.
	ErrNotModule = errors.New("host: not a privet module: build one with make wasm")
	// ErrABI reports a module whose interface has another major version.
	ErrABI = errors.New("host: the module has another version of the interface: use the host package that came with it")
	// ErrOption reports an option that cannot be used.
	ErrOption = errors.New("host: option not usable: a memory limit is from 16 MiB to 4 GiB, instances are from 1 to 1024, the cache is a directory, and only a classifier can be interrupted")
	// ErrLost reports that an instance gave up in the middle of a call. It was
	// discarded; the next call gets a new one.
	ErrLost = errors.New("host: the instance was lost during the call and discarded: send less at once, or raise the memory limit")
	// ErrClosed reports a call on something closed.
	ErrClosed = errors.New("host: closed")
)

// An Error is what the module answered in place of a result. Like the module it
// never contains what was asked.
type Error struct {
	Status  int32  `json:"-"`    // less than 0; wasm/ABI.md lists them
	Code    string `json:"code"` // such as BAD_REQUEST; stable
	Message string `json:"message"`
	Mend    string `json:"mend"`
	Part    string `json:"part"`   // of the request, such as subject.tenant
	Offset  *int   `json:"offset"` // byte of the request, from 0
	Rule    string `json:"rule"`   // that could not be evaluated
	// JSON is the error as the module wrote it.
	JSON []byte `json:"-"`
}

// Error is one line.
func (e *Error) Error() string {
	s := "host: " + e.Code
	if e.Part != "" {
		s += ": " + e.Part
	}
	if e.Rule != "" {
		s += ": rule " + e.Rule
	}
	s += ": " + e.Message
	if e.Mend != "" {
		s += "; " + e.Mend
	}
	return s
}

// Info is what a module says of itself before it is run.
type Info struct {
	ABI     struct{ Major, Minor int }
	Codes   map[string]int32 // status of each error code
	Limits  map[string]int
	Ops     map[string]int32 // number of each operation
	Product string
	Profile int // of policies
	Version string
}

// Inspect reads what a module says of itself, without running it.
func Inspect(module []byte) (Info, error) {
	var info Info
	payload, err := wasmabi.Read(module, wasmabi.Section)
	if err != nil || payload == nil || json.Unmarshal(payload, &info) != nil {
		return Info{}, ErrNotModule
	}
	return info, nil
}

// A Module is a compiled module. It is safe for concurrent use.
type Module struct {
	runtime   wazero.Runtime
	cache     wazero.CompilationCache
	compiled  wazero.CompiledModule
	info      Info
	instances int
}

const (
	major      = 1
	page       = 64 << 10
	minMemory  = 16 << 20
	maxMemory  = 4 << 30
	someMemory = 512 << 20
)

// Open compiles a module. The error wraps [ErrNotModule], [ErrABI] or [ErrOption].
// Close the module when it is no longer needed.
func Open(ctx context.Context, module []byte, opts ...Option) (*Module, error) {
	c := config{memory: someMemory, instances: 1}
	for _, o := range opts {
		o.apply(&c)
	}
	if c.memory < minMemory || c.memory > maxMemory || c.instances < 1 || c.instances > 1024 || c.interrupted {
		return nil, ErrOption
	}
	info, err := Inspect(module)
	if err != nil {
		return nil, err
	}
	if info.ABI.Major != major {
		return nil, ErrABI
	}
	m := &Module{info: info, instances: c.instances}
	settings := wazero.NewRuntimeConfig()
	if c.interpreted {
		settings = wazero.NewRuntimeConfigInterpreter()
	}
	settings = settings.WithMemoryLimitPages(uint32((c.memory + page - 1) / page)).WithDebugInfoEnabled(false)
	if c.cache != "" {
		if m.cache, err = wazero.NewCompilationCacheWithDir(c.cache); err != nil {
			return nil, errors.Join(ErrOption, err)
		}
		settings = settings.WithCompilationCache(m.cache)
	}
	m.runtime = wazero.NewRuntimeWithConfig(ctx, settings)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, m.runtime); err != nil {
		return nil, errors.Join(ErrNotModule, err, m.Close(ctx))
	}
	if m.compiled, err = m.runtime.CompileModule(ctx, module); err != nil {
		return nil, errors.Join(ErrNotModule, err, m.Close(ctx))
	}
	return m, nil
}

// Info is what the module says of itself.
func (m *Module) Info() Info { return m.info }

// Close ends the module and every guard of it.
func (m *Module) Close(ctx context.Context) error {
	err := m.runtime.Close(ctx)
	if m.cache != nil {
		err = errors.Join(err, m.cache.Close(ctx))
	}
	return err
}

// A Secret is what the pseudonyms of a tenant are made with; see package
// privacy/pseudonym.
type Secret struct {
	Tenant  string
	Version uint32
	Key     []byte // 32 bytes from a cryptographic random source
}

// String hides the key.
func (Secret) String() string { return "host.Secret(REDACTED)" }

// GoString hides the key.
func (Secret) GoString() string { return "host.Secret(REDACTED)" }

// A Guard answers questions by one policy, inside the module. It is safe for
// concurrent use; see [WithInstances].
type Guard struct {
	m       *Module
	bundle  []byte
	secrets [][]byte // as the module reads them, for instances that are started later
	slots   chan *instance
	mu      sync.Mutex
	closed  bool
}

// Guard opens a policy: the bytes of a bundle. The error is an [*Error] if the
// bundle or a secret cannot be used. Secrets are copied, and kept for as long as the
// guard is open, because an instance that is lost is replaced.
func (m *Module) Guard(ctx context.Context, bundle []byte, secrets ...Secret) (*Guard, error) {
	g := &Guard{m: m, bundle: slices.Clone(bundle), slots: make(chan *instance, m.instances)}
	for _, s := range secrets {
		g.secrets = append(g.secrets, appendSecret(nil, s))
	}
	first, err := g.start(ctx)
	if err != nil {
		return nil, err
	}
	g.slots <- first
	for range m.instances - 1 {
		g.slots <- nil // started when it is needed
	}
	return g, nil
}

func appendSecret(dst []byte, s Secret) []byte {
	dst = append(dst, byte(s.Version), byte(s.Version>>8), byte(s.Version>>16), byte(s.Version>>24))
	dst = append(dst, byte(len(s.Tenant)), byte(len(s.Tenant)>>8))
	return append(append(dst, s.Tenant...), s.Key...)
}

// start makes an instance that holds the policy and its secrets.
func (g *Guard) start(ctx context.Context) (*instance, error) {
	in, err := g.m.instance(ctx)
	if err != nil {
		return nil, err
	}
	if in.handle, err = in.open(ctx, g.bundle); err == nil {
		for _, s := range g.secrets {
			if _, _, err = in.call(ctx, in.handle, opAddSecret, s); err != nil {
				break
			}
		}
	}
	if err != nil {
		in.close(ctx)
		return nil, err
	}
	return in, nil
}

// Close forgets the policy and its secrets. It waits for calls that are running.
func (g *Guard) Close(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil
	}
	g.closed = true
	for range cap(g.slots) {
		if in := <-g.slots; in != nil {
			in.close(ctx)
		}
	}
	close(g.slots)
	for _, s := range g.secrets {
		clear(s)
	}
	return nil
}

// statusInternal is the status of a fault inside the module, after which its
// memory is not to be trusted.
const statusInternal = -1

// The operations that have a method.
const (
	opDescribe  = 1
	opClassify  = 2
	opHash      = 4
	opConsent   = 5
	opRetention = 6
	opExplain   = 7
	opValidate  = 8
	opSelftest  = 9
	opProcess   = 10
	opStats     = 11
	opAddSecret = 12
)

// Process decides about one event in JSON and returns the result in JSON: what
// Guard.ProcessJSON of package privacy returns, byte for byte.
func (g *Guard) Process(ctx context.Context, event []byte) ([]byte, error) {
	return g.ask(ctx, opProcess, event)
}

// Explain is like Process, and the result has a trail.
func (g *Guard) Explain(ctx context.Context, event []byte) ([]byte, error) {
	return g.ask(ctx, opExplain, event)
}

// Classify labels one field, as Guard.ClassifyJSON of package privacy does.
func (g *Guard) Classify(ctx context.Context, field []byte) ([]byte, error) {
	return g.ask(ctx, opClassify, field)
}

// Decide answers a request about consent, as Guard.DecideJSON does.
func (g *Guard) Decide(ctx context.Context, request []byte) ([]byte, error) {
	return g.ask(ctx, opConsent, request)
}

// Plan answers about retention, as Guard.PlanJSON does.
func (g *Guard) Plan(ctx context.Context, input []byte) ([]byte, error) {
	return g.ask(ctx, opRetention, input)
}

// Pseudonymise makes a token, as Guard.PseudonymiseJSON does.
func (g *Guard) Pseudonymise(ctx context.Context, request []byte) ([]byte, error) {
	return g.ask(ctx, opHash, request)
}

// Describe says what the policy knows, as Guard.DescribeJSON does.
func (g *Guard) Describe(ctx context.Context) ([]byte, error) { return g.ask(ctx, opDescribe, nil) }

// Validate says which policy a bundle holds, or with an [*Error] why it holds none.
func (g *Guard) Validate(ctx context.Context, bundle []byte) ([]byte, error) {
	return g.ask(ctx, opValidate, bundle)
}

// Selftest computes known answers in an instance.
func (g *Guard) Selftest(ctx context.Context) ([]byte, error) { return g.ask(ctx, opSelftest, nil) }

// Stats counts the calls, buffers and memory of one instance.
func (g *Guard) Stats(ctx context.Context) ([]byte, error) { return g.ask(ctx, opStats, nil) }

func (g *Guard) ask(ctx context.Context, op uint64, request []byte) ([]byte, error) {
	result, _, err := g.Call(ctx, int32(op), request)
	return result, err
}

// Call asks by the number of the operation, for operations that have no method
// here. The status tells the outcome, as wasm/ABI.md lists it. The error is an
// [*Error], [ErrLost], [ErrClosed], or the context's if no instance became free in
// time; a call that has begun is not interrupted.
func (g *Guard) Call(ctx context.Context, op int32, request []byte) (result []byte, status int32, err error) {
	var in *instance
	select {
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	case one, open := <-g.slots:
		if !open {
			return nil, 0, ErrClosed
		}
		in = one
	}
	defer func() { g.slots <- in }()
	if in == nil {
		if in, err = g.start(ctx); err != nil {
			return nil, 0, err
		}
	}
	result, status, err = in.call(ctx, in.handle, uint64(uint32(op)), request)
	if status == statusInternal || errors.Is(err, ErrLost) {
		in.close(ctx)
		in = nil
	}
	return result, status, err
}

// An instance is one memory with one policy. It serves one call at a time.
type instance struct {
	module                                  api.Module
	alloc, free, openBundle, doCall, result api.Function
	stack                                   [4]uint64
	buffer                                  uint32 // used again for every request
	size                                    uint32
	handle                                  uint64
}

func (m *Module) instance(ctx context.Context) (*instance, error) {
	// Without options a module has no file system, no arguments, no environment,
	// a clock that stands outside of time, and output that goes nowhere. Go's
	// runtime asks for random bytes at the start; wazero's are always the same,
	// and nothing that the module answers depends on them.
	mod, err := m.runtime.InstantiateModule(ctx, m.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize"))
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, errors.Join(ErrNotModule, err)
	}
	in := &instance{module: mod}
	for name, f := range map[string]*api.Function{
		"pv1_alloc": &in.alloc, "pv1_free": &in.free, "pv1_open": &in.openBundle, "pv1_call": &in.doCall, "pv1_result": &in.result,
	} {
		if *f = mod.ExportedFunction(name); *f == nil {
			in.close(ctx)
			return nil, ErrNotModule
		}
	}
	version := mod.ExportedFunction("pv1_abi")
	if version == nil {
		in.close(ctx)
		return nil, ErrNotModule
	}
	if n, err := in.invoke(ctx, version, 1); err != nil || int32(n)>>16 != major {
		in.close(ctx)
		return nil, ErrABI
	}
	return in, nil
}

func (in *instance) close(ctx context.Context) { _ = in.module.Close(ctx) }

// invoke calls an export whose parameters stand on the stack. Whatever goes wrong
// inside, the memory may be in any state afterwards.
func (in *instance) invoke(ctx context.Context, f api.Function, slots int) (uint32, error) {
	// The runtime does not interrupt calls, and a value of the caller's context has
	// no business inside.
	if err := f.CallWithStack(context.WithoutCancel(ctx), in.stack[:slots]); err != nil {
		return 0, ErrLost
	}
	return uint32(in.stack[0]), nil
}

// send writes a request into the instance's buffer.
func (in *instance) send(ctx context.Context, request []byte) error {
	need := uint32(max(len(request), 1))
	if need > in.size {
		if in.buffer != 0 {
			in.stack[0] = uint64(in.buffer)
			if _, err := in.invoke(ctx, in.free, 1); err != nil {
				return err
			}
			in.buffer, in.size = 0, 0
		}
		room := uint32(4096)
		for room < need && room < 16<<20 {
			room *= 2
		}
		room = max(room, need)
		in.stack[0] = uint64(room)
		at, err := in.invoke(ctx, in.alloc, 1)
		if err != nil {
			return err
		}
		if at == 0 {
			return in.refusal(ctx)
		}
		in.buffer, in.size = at, room
	}
	if !in.module.Memory().Write(in.buffer, request) {
		return ErrLost
	}
	return nil
}

// answer reads a copy of the last result and its status.
func (in *instance) answer(ctx context.Context) ([]byte, int32, error) {
	at, err := in.invoke(ctx, in.result, 1)
	if err != nil {
		return nil, 0, err
	}
	memory := in.module.Memory()
	ptr, ok1 := memory.ReadUint32Le(at)
	size, ok2 := memory.ReadUint32Le(at + 4)
	code, ok3 := memory.ReadUint32Le(at + 8)
	view, ok4 := memory.Read(ptr, size)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return nil, 0, ErrLost
	}
	return slices.Clone(view), int32(code), nil
}

// refusal is the last result as an error.
func (in *instance) refusal(ctx context.Context) error {
	text, status, err := in.answer(ctx)
	if err != nil {
		return err
	}
	e := &Error{Status: status, JSON: text}
	if json.Unmarshal(text, e) != nil || e.Code == "" {
		return ErrLost
	}
	return e
}

func (in *instance) open(ctx context.Context, bundle []byte) (uint64, error) {
	if err := in.send(ctx, bundle); err != nil {
		return 0, err
	}
	in.stack[0], in.stack[1] = uint64(in.buffer), uint64(len(bundle))
	handle, err := in.invoke(ctx, in.openBundle, 2)
	if err != nil {
		return 0, err
	}
	if int32(handle) < 0 {
		return 0, in.refusal(ctx)
	}
	return uint64(handle), nil
}

func (in *instance) call(ctx context.Context, handle, op uint64, request []byte) ([]byte, int32, error) {
	if err := in.send(ctx, request); err != nil {
		return nil, 0, err
	}
	in.stack = [4]uint64{handle, op, uint64(in.buffer), uint64(len(request))}
	status, err := in.invoke(ctx, in.doCall, 4)
	if err != nil {
		return nil, 0, err
	}
	if int32(status) < 0 {
		err := in.refusal(ctx)
		return nil, int32(status), err
	}
	return in.answer(ctx)
}
