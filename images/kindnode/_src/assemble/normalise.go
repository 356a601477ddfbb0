package main

import (
	"bytes"
	"errors"
	"os"

	"github.com/containerd/errdefs"
	"go.etcd.io/bbolt"
)

func isExists(err error) bool { return errors.Is(err, errdefs.ErrAlreadyExists) }

// normalise rewrites a bolt database without the times at which its records
// were made and in the order of their keys, so that the same records give the
// same file.
func normalise(path string) error {
	stamp, err := sourceDate.MarshalBinary()
	if err != nil {
		return err
	}
	from, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		return err
	}
	defer from.Close()
	err = from.Update(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error { return stampBucket(b, stamp) })
	})
	if err != nil {
		return err
	}
	to, err := bbolt.Open(path+".new", 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		return err
	}
	// A transaction writes the buckets that it changed in random order, so
	// each has one record only.
	if err := bbolt.Compact(to, from, 1); err != nil {
		to.Close()
		return err
	}
	if err := to.Close(); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// stampBucket sets every time in b, and in the buckets in it, to stamp.
func stampBucket(b *bbolt.Bucket, stamp []byte) error {
	var times [][]byte
	err := b.ForEach(func(k, v []byte) error {
		if v == nil {
			if child := b.Bucket(k); child != nil {
				return stampBucket(child, stamp)
			}
			return nil
		}
		if string(k) == "createdat" || string(k) == "updatedat" {
			times = append(times, bytes.Clone(k))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, k := range times {
		if err := b.Put(k, stamp); err != nil {
			return err
		}
	}
	return nil
}
