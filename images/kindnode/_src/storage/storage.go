// Package storage makes volumes for a kind cluster out of folders of its
// nodes. It runs on every node and serves the claims whose pod the scheduler
// put there, so that a folder is always made where it is used, and no helper
// pod has to make it.
package storage

import (
	"context"
	"fmt"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedv1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"

	"zr/images/kindnode/nodeclient"
)

const (
	// provisioner is the name that a StorageClass names this program by.
	provisioner = "zr.dev/node-folder"
	// root is where volumes are, on the node's own disk.
	root = "/var/lib/zr-volumes"
	// resync is how often everything is looked at again, in case a folder
	// could not be made or removed when its event came.
	resync = 5 * time.Minute
)

// Main runs until it is told to end.
func Main() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	client, err := nodeclient.New()
	if err != nil {
		return err
	}
	return run(ctx, client, client.Node, root)
}

// controller serves the claims and volumes of one node.
type controller struct {
	api    volumeAPI
	node   string
	root   string
	events record.EventRecorder

	claims  cache.Indexer
	volumes cache.Indexer
	classes cache.Indexer
	queue   workqueue.TypedRateLimitingInterface[item]
}

// volumeAPI is what the controller changes in the cluster.
type volumeAPI interface {
	Create(context.Context, *v1.PersistentVolume, metav1.CreateOptions) (*v1.PersistentVolume, error)
	Delete(context.Context, string, metav1.DeleteOptions) error
}

// item is one thing to look at: a claim by namespace/name, or a volume by name.
type item struct {
	claim bool
	key   string
}

func run(ctx context.Context, client kubernetes.Interface, node, root string) error {
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	broadcaster.StartRecordingToSink(&typedv1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	defer broadcaster.Shutdown()

	factory := informers.NewSharedInformerFactory(client, resync)
	claims := factory.Core().V1().PersistentVolumeClaims().Informer()
	volumes := factory.Core().V1().PersistentVolumes().Informer()
	classes := factory.Storage().V1().StorageClasses().Informer()
	c := &controller{
		api: client.CoreV1().PersistentVolumes(), node: node, root: root,
		events:  broadcaster.NewRecorder(scheme.Scheme, v1.EventSource{Component: provisioner, Host: node}),
		claims:  claims.GetIndexer(),
		volumes: volumes.GetIndexer(),
		classes: classes.GetIndexer(),
		queue: workqueue.NewTypedRateLimitingQueue(
			workqueue.NewTypedItemExponentialFailureRateLimiter[item](200*time.Millisecond, time.Minute)),
	}
	if _, err := claims.AddEventHandler(c.enqueue(true)); err != nil {
		return err
	}
	if _, err := volumes.AddEventHandler(c.enqueue(false)); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return fmt.Errorf("listing %v: %w", kind, context.Cause(ctx))
		}
	}
	klog.InfoS("Serving volumes", "node", node, "folder", root)
	context.AfterFunc(ctx, c.queue.ShutDown)
	for c.next(ctx) {
	}
	return nil
}

func (c *controller) enqueue(claim bool) cache.ResourceEventHandler {
	add := func(object any) {
		if key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object); err == nil {
			c.queue.Add(item{claim, key})
		}
	}
	return cache.ResourceEventHandlerFuncs{AddFunc: add, UpdateFunc: func(_, object any) { add(object) }}
}

func (c *controller) next(ctx context.Context) bool {
	i, shutdown := c.queue.Get()
	if shutdown {
		return false
	}
	defer c.queue.Done(i)
	indexer, handle := c.volumes, c.volume
	if i.claim {
		indexer, handle = c.claims, c.claim
	}
	object, exists, err := indexer.GetByKey(i.key)
	if err == nil && exists {
		err = handle(ctx, object)
	}
	if err != nil {
		klog.ErrorS(err, "Will try again", "claim", i.claim, "name", i.key)
		c.queue.AddRateLimited(i)
		return true
	}
	c.queue.Forget(i)
	return true
}

// folder returns where the volume's content is.
func (c *controller) folder(volume string) string { return filepath.Join(c.root, volume) }
