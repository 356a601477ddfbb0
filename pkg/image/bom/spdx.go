package bom

import (
	"encoding/json"
	"fmt"
)

// SPDXType is the media type of a bill of materials.
const SPDXType = "application/spdx+json"

// epoch is when documents say that they were made: a real time would change their bytes.
const epoch = "1970-01-01T00:00:00Z"

// The parts of SPDX 2.3 that are needed.
type (
	document struct {
		SPDXVersion       string         `json:"spdxVersion"`
		DataLicense       string         `json:"dataLicense"`
		SPDXID            string         `json:"SPDXID"`
		Name              string         `json:"name"`
		DocumentNamespace string         `json:"documentNamespace"`
		CreationInfo      creationInfo   `json:"creationInfo"`
		Packages          []component    `json:"packages"`
		Relationships     []relationship `json:"relationships"`
	}
	creationInfo struct {
		Created  string   `json:"created"`
		Creators []string `json:"creators"`
	}
	component struct {
		SPDXID           string        `json:"SPDXID"`
		Name             string        `json:"name"`
		VersionInfo      string        `json:"versionInfo"`
		DownloadLocation string        `json:"downloadLocation"`
		FilesAnalyzed    bool          `json:"filesAnalyzed"`
		Purpose          string        `json:"primaryPackagePurpose,omitempty"`
		Checksums        []checksum    `json:"checksums,omitempty"`
		ExternalRefs     []externalRef `json:"externalRefs,omitempty"`
	}
	checksum struct {
		Algorithm string `json:"algorithm"`
		Value     string `json:"checksumValue"`
	}
	externalRef struct {
		Category string `json:"referenceCategory"`
		Type     string `json:"referenceType"`
		Locator  string `json:"referenceLocator"`
	}
	relationship struct {
		From string `json:"spdxElementId"`
		Type string `json:"relationshipType"`
		To   string `json:"relatedSpdxElement"`
	}
)

// SPDX returns the bill of materials of an image by its repository and its digest, in
// hex, as SPDX 2.3.
func SPDX(repository, digest string, packages []Package) ([]byte, error) {
	const self, unknown = "SPDXRef-Image", "NOASSERTION"
	d := document{
		SPDXVersion: "SPDX-2.3", DataLicense: "CC0-1.0", SPDXID: "SPDXRef-DOCUMENT",
		Name: repository, DocumentNamespace: "https://zr.dev/spdx/sha256/" + digest,
		CreationInfo: creationInfo{epoch, []string{"Tool: zr"}},
		Packages: []component{{
			SPDXID: self, Name: repository, VersionInfo: "sha256:" + digest, DownloadLocation: unknown,
			Purpose: "CONTAINER", Checksums: []checksum{{"SHA256", digest}},
		}},
		Relationships: []relationship{{"SPDXRef-DOCUMENT", "DESCRIBES", self}},
	}
	for n, p := range packages {
		id := fmt.Sprintf("SPDXRef-Package-%d", n+1)
		d.Packages = append(d.Packages, component{
			SPDXID: id, Name: p.Name, VersionInfo: p.Version, DownloadLocation: unknown,
			ExternalRefs: []externalRef{{"PACKAGE-MANAGER", "purl", p.URL}},
		})
		d.Relationships = append(d.Relationships, relationship{self, "CONTAINS", id})
	}
	return json.Marshal(d)
}
