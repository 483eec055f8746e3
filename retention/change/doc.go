// Package change is about rules that change: whether people must be told and since
// when ([Change]), which version of the rules is in force ([Versions]), and which
// deadlines move ([Compare]).
//
// Nothing here reads a clock: instants are arguments.
package change
