package storage

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"
)

// The annotations that the volume controller and the scheduler tell a
// provisioner with what to do, and that it signs its volumes with.
const (
	annProvisioner   = "volume.kubernetes.io/storage-provisioner"
	annSelectedNode  = "volume.kubernetes.io/selected-node"
	annProvisionedBy = "pv.kubernetes.io/provisioned-by"
)

// claim makes the volume of a claim that waits for one on this node.
func (c *controller) claim(ctx context.Context, object any) error {
	claim := object.(*v1.PersistentVolumeClaim)
	if claim.Annotations[annProvisioner] != provisioner || claim.Annotations[annSelectedNode] != c.node ||
		claim.Spec.VolumeName != "" || claim.DeletionTimestamp != nil {
		return nil
	}
	name := "pvc-" + string(claim.UID)
	if _, exists, err := c.volumes.GetByKey(name); err != nil || exists {
		return err
	}
	if claim.Spec.VolumeMode != nil && *claim.Spec.VolumeMode == v1.PersistentVolumeBlock {
		c.events.Event(claim, v1.EventTypeWarning, "ProvisioningFailed", "a folder cannot be a block device")
		return nil
	}
	class, err := c.class(claim)
	if err != nil {
		return err
	}
	if err := makeFolder(c.folder(name)); err != nil {
		c.events.Eventf(claim, v1.EventTypeWarning, "ProvisioningFailed", "%v", err)
		return err
	}
	_, err = c.api.Create(ctx, c.newVolume(name, claim, class), metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("creating volume %s: %w", name, err)
	}
	c.events.Eventf(claim, v1.EventTypeNormal, "ProvisioningSucceeded", "volume %s is a folder of node %s", name, c.node)
	klog.InfoS("Made volume", "volume", name, "claim", claim.Namespace+"/"+claim.Name)
	return nil
}

func (c *controller) class(claim *v1.PersistentVolumeClaim) (*storagev1.StorageClass, error) {
	if claim.Spec.StorageClassName == nil {
		return nil, fmt.Errorf("claim %s/%s has no storage class", claim.Namespace, claim.Name)
	}
	object, exists, err := c.classes.GetByKey(*claim.Spec.StorageClassName)
	if err != nil || !exists {
		return nil, fmt.Errorf("there is no storage class %s", *claim.Spec.StorageClassName)
	}
	return object.(*storagev1.StorageClass), nil
}

// makeFolder makes a folder that any user may write to: which user a pod runs
// as is not known, and a fsGroup narrows it later.
func makeFolder(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o711); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o777); err != nil && !os.IsExist(err) {
		return err
	}
	return os.Chmod(path, 0o777)
}

func (c *controller) newVolume(name string, claim *v1.PersistentVolumeClaim, class *storagev1.StorageClass) *v1.PersistentVolume {
	policy := v1.PersistentVolumeReclaimDelete
	if class.ReclaimPolicy != nil {
		policy = *class.ReclaimPolicy
	}
	return &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{annProvisionedBy: provisioner}},
		Spec: v1.PersistentVolumeSpec{
			Capacity:                      v1.ResourceList{v1.ResourceStorage: claim.Spec.Resources.Requests[v1.ResourceStorage]},
			AccessModes:                   claim.Spec.AccessModes,
			PersistentVolumeReclaimPolicy: policy,
			StorageClassName:              class.Name,
			MountOptions:                  class.MountOptions,
			ClaimRef: &v1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID, ResourceVersion: claim.ResourceVersion,
			},
			// A local volume, unlike a host path, gets the pod's fsGroup, as a
			// disk of a cloud would.
			PersistentVolumeSource: v1.PersistentVolumeSource{Local: &v1.LocalVolumeSource{Path: c.folder(name)}},
			NodeAffinity: &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{{
				MatchFields: []v1.NodeSelectorRequirement{{
					Key: "metadata.name", Operator: v1.NodeSelectorOpIn, Values: []string{c.node},
				}},
			}}}},
		},
	}
}

// volume removes a volume of this node that nobody claims any more, and its
// content, where the class says so.
func (c *controller) volume(ctx context.Context, object any) error {
	volume := object.(*v1.PersistentVolume)
	if volume.Annotations[annProvisionedBy] != provisioner || volume.Status.Phase != v1.VolumeReleased ||
		volume.Spec.PersistentVolumeReclaimPolicy != v1.PersistentVolumeReclaimDelete ||
		volume.DeletionTimestamp != nil || !c.owns(volume) {
		return nil
	}
	if err := os.RemoveAll(c.folder(volume.Name)); err != nil {
		c.events.Eventf(volume, v1.EventTypeWarning, "VolumeFailedDelete", "%v", err)
		return err
	}
	err := c.api.Delete(ctx, volume.Name, metav1.DeleteOptions{
		Preconditions: metav1.NewUIDPreconditions(string(volume.UID)),
	})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("deleting volume %s: %w", volume.Name, err)
	}
	klog.InfoS("Removed volume", "volume", volume.Name)
	return nil
}

// owns says whether the volume's content is the folder that this node made:
// what somebody else wrote into the object is never removed.
func (c *controller) owns(volume *v1.PersistentVolume) bool {
	if volume.Spec.Local == nil || volume.Spec.Local.Path != c.folder(volume.Name) || volume.Spec.NodeAffinity == nil {
		return false
	}
	for _, term := range volume.Spec.NodeAffinity.Required.NodeSelectorTerms {
		for _, field := range term.MatchFields {
			if field.Key == "metadata.name" && len(field.Values) == 1 && field.Values[0] == c.node {
				return true
			}
		}
	}
	return false
}
