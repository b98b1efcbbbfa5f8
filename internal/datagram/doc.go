// Package datagram sends and receives UDP datagrams on threads that are to be in time:
// many with one system call, without a word to Go's scheduler, with what the kernel says
// of each, and without allocations.
package datagram
