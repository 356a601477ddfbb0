package doctor

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

// clockSlack is how far a file may be ahead of the clock: file systems round,
// and a network file system has another machine's clock.
const clockSlack = 2 * time.Minute

// checkClock compares the clock with what cannot be in the future: files of
// the project, this program, and the beginning of the certificate with which
// zr signs in to its cluster. A wrong clock otherwise shows as certificates
// that are "not yet valid" and builds that never end.
func checkClock(needs Needs) []Check {
	now := time.Now()
	c := Check{Name: "clock", Status: OK, Detail: now.Format(time.RFC3339)}
	newest, of := time.Time{}, ""
	consider := func(t time.Time, what string) {
		if t.After(newest) {
			newest, of = t, what
		}
	}
	files := needs.Sources
	if self, err := os.Executable(); err == nil {
		files = append(files[:len(files):len(files)], self)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			consider(info.ModTime(), f)
		}
	}
	cert := clientCertificate(needs.Kubeconfig)
	if cert != nil {
		consider(cert.NotBefore, "the certificate of the cluster")
	}
	switch {
	case newest.After(now.Add(clockSlack)):
		c.Status = Fail
		c.Detail += fmt.Sprintf(", which is before %s (%s)", of, newest.Format(time.RFC3339))
		c.Command = "timedatectl set-ntp true"
		c.Hint = "set the clock: " + c.Command
	case cert != nil && now.After(cert.NotAfter):
		c.Status = Fail
		c.Detail += fmt.Sprintf(", and the certificate of the cluster ended at %s", cert.NotAfter.Format(time.RFC3339))
		c.Command = needs.Lines.Anew()
		c.Hint = "set the clock if it is wrong; otherwise " + c.Command + " makes the cluster anew, without its data"
	}
	return []Check{c}
}

// clientCertificate returns the certificate in a kubeconfig, or nil.
func clientCertificate(path string) *x509.Certificate {
	if path == "" {
		return nil
	}
	cfg, err := clientcmd.LoadFromFile(path)
	if err != nil {
		return nil
	}
	for _, user := range cfg.AuthInfos {
		block, _ := pem.Decode(user.ClientCertificateData)
		if block == nil {
			continue
		}
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil {
			return cert
		}
	}
	return nil
}
