package storage

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
)

const className = "standard"

func TestClaim(t *testing.T) {
	block := v1.PersistentVolumeBlock
	tests := map[string]struct {
		change func(*v1.PersistentVolumeClaim)
		want   bool
	}{
		"waits for this node":    {func(*v1.PersistentVolumeClaim) {}, true},
		"waits for another node": {func(c *v1.PersistentVolumeClaim) { c.Annotations[annSelectedNode] = "there" }, false},
		"has no node yet":        {func(c *v1.PersistentVolumeClaim) { delete(c.Annotations, annSelectedNode) }, false},
		"is somebody else's":     {func(c *v1.PersistentVolumeClaim) { c.Annotations[annProvisioner] = "other" }, false},
		"has a volume":           {func(c *v1.PersistentVolumeClaim) { c.Spec.VolumeName = "pvc-1" }, false},
		"wants a block device":   {func(c *v1.PersistentVolumeClaim) { c.Spec.VolumeMode = &block }, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c, api := newController(t)
			claim := newClaim()
			test.change(claim)
			if err := c.claim(context.Background(), claim); err != nil {
				t.Fatal(err)
			}
			if made := api.created != nil; made != test.want {
				t.Fatalf("made a volume: %v, want %v", made, test.want)
			}
			if !test.want {
				return
			}
			if info, err := os.Stat(c.folder("pvc-1")); err != nil || info.Mode().Perm() != 0o777 {
				t.Errorf("the folder: %v, %v", info, err)
			}
			if api.created.Spec.ClaimRef.UID != claim.UID || api.created.Spec.Local.Path != c.folder("pvc-1") {
				t.Errorf("the volume: %+v", api.created.Spec)
			}
		})
	}
}

func TestVolumeIsRemoved(t *testing.T) {
	tests := map[string]struct {
		change func(*v1.PersistentVolume)
		want   bool
	}{
		"released":               {func(*v1.PersistentVolume) {}, true},
		"still bound":            {func(v *v1.PersistentVolume) { v.Status.Phase = v1.VolumeBound }, false},
		"to be retained":         {func(v *v1.PersistentVolume) { v.Spec.PersistentVolumeReclaimPolicy = v1.PersistentVolumeReclaimRetain }, false},
		"somebody else's":        {func(v *v1.PersistentVolume) { delete(v.Annotations, annProvisionedBy) }, false},
		"of another node":        {func(v *v1.PersistentVolume) { v.Spec.NodeAffinity = nil }, false},
		"with a changed folder":  {func(v *v1.PersistentVolume) { v.Spec.Local.Path = "/etc" }, false},
		"that is deleted by now": {func(v *v1.PersistentVolume) { v.DeletionTimestamp = &metav1.Time{} }, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c, api := newController(t)
			if err := makeFolder(c.folder("pvc-1")); err != nil {
				t.Fatal(err)
			}
			volume := c.newVolume("pvc-1", newClaim(), &storagev1.StorageClass{})
			volume.Status.Phase = v1.VolumeReleased
			test.change(volume)
			if err := c.volume(context.Background(), volume); err != nil {
				t.Fatal(err)
			}
			_, err := os.Stat(filepath.Join(c.root, "pvc-1"))
			if removed := api.deleted == "pvc-1" && os.IsNotExist(err); removed != test.want {
				t.Errorf("removed: %v (deleted %q, folder %v), want %v", removed, api.deleted, err, test.want)
			}
		})
	}
}

// recorder remembers what was asked of the API.
type recorder struct {
	created *v1.PersistentVolume
	deleted string
}

func (r *recorder) Create(_ context.Context, v *v1.PersistentVolume, _ metav1.CreateOptions) (*v1.PersistentVolume, error) {
	r.created = v
	return v, nil
}

func (r *recorder) Delete(_ context.Context, name string, _ metav1.DeleteOptions) error {
	r.deleted = name
	return nil
}

func newController(t *testing.T) (*controller, *recorder) {
	t.Helper()
	api := &recorder{}
	indexer := func(objects ...any) cache.Indexer {
		i := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
		for _, o := range objects {
			if err := i.Add(o); err != nil {
				t.Fatal(err)
			}
		}
		return i
	}
	return &controller{
		api: api, node: "here", root: t.TempDir(), events: record.NewFakeRecorder(10),
		claims: indexer(), volumes: indexer(),
		classes: indexer(&storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: className}, Provisioner: provisioner}),
	}, api
}

func newClaim() *v1.PersistentVolumeClaim {
	class := className
	return &v1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: "data", UID: types.UID("1"),
			Annotations: map[string]string{annProvisioner: provisioner, annSelectedNode: "here"},
		},
		Spec: v1.PersistentVolumeClaimSpec{
			StorageClassName: &class,
			AccessModes:      []v1.PersistentVolumeAccessMode{v1.ReadWriteOnce},
			Resources: v1.VolumeResourceRequirements{
				Requests: v1.ResourceList{v1.ResourceStorage: resource.MustParse("1Gi")},
			},
		},
	}
}
