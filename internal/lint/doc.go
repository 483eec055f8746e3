// Package lint holds tests of the repository itself: who may import whom, what
// library code may not call, and that the README shows what the files say. It
// has no code of its own beyond those tests, and nothing imports it.
package lint
