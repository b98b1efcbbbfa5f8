// Package ownership decides which addresses this node answers for: it joins the
// agent's word, the links, the other announcers and what comes of announcements,
// has an election decide, and does what follows from it.
//
// What is to be done is decided by the mind, which has no clock and does
// nothing. The loop tells it what happens, and carries out what it wants.
package ownership
