// Package image keeps images and moves them: a local store that several zr
// processes share, what a node or registry lacks, and the order in which an
// image of others is looked for.
//
// The store is an OCI image layout, so that every tool of the field can read
// it. Layers that zr makes stay uncompressed in it: a local node unpacks them
// eight times faster, and one digest names both the layer and its content.
// Layers that were pulled stay as the registry has them, so that the digest
// that a manifest pins stays true. Only Push compresses; see there for what
// that means for digests.
package image
