// Package js holds the JavaScript loader of classifier modules, so that a Go program
// can serve it to browsers together with its modules.
package js

import _ "embed" // for the loader

//go:embed classifier.js
var classifier string

// Classifier is the text of classifier.js, an ES module that needs no other file. It is
// served as text/javascript; a page imports Classifier from it.
func Classifier() string { return classifier }
