package retention_test

// A WebAssembly system has no time zone files.
import _ "time/tzdata"
