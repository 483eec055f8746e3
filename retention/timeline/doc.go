// Package timeline draws the plan of one record as a picture that a person
// understands at a glance: what the rules say together, the phases of the data's
// life, and a lane for each event, floor, wish, ceiling, notice and hold.
//
// Start with [SVG]; [HTML] is a page around it. The picture has no scripts, fonts or
// anything else from outside, is light or dark as its reader prefers, and has a title
// and a description for who cannot see it. All words stand in a column of their own,
// wrapped to its width, so that none is cut and none lies on another, however close
// the dates are; bars carry a word only where there is room for it. Functions of this
// package are safe for concurrent use and read no clock.
package timeline
