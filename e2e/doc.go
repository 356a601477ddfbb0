// Package e2e tests zr as its users run it: the real program, on real clusters,
// with a real browser. Clusters of the tests have names that begin with
// "zrtest-" and are deleted when a test ends, also when it failed.
//
// `make test-e2e` builds what the tests run and installs what they need.
package e2e
