package fleet

import "testing"

func TestWhatAnEventIsAbout(t *testing.T) {
	api := Service{Name: "api", Kind: "Deployment"}
	for _, tc := range []struct {
		service    Service
		kind, name string
		want       bool
	}{
		{api, "Deployment", "api", true},
		{api, "ReplicaSet", "api-7d4b9", true},
		{api, "Pod", "api-7d4b9-x2k1q", true},
		{api, "Pod", "api-worker-7d4b9-x2k1q", false},
		{api, "Pod", "api", false},
		{api, "Service", "api", false},
		{api, "Job", "api", false},
		{Service{Name: "db", Kind: "StatefulSet"}, "Pod", "db-0", true},
		{Service{Name: "db", Kind: "StatefulSet"}, "ReplicaSet", "db-7d4b9", false},
		{Service{Name: "job/api", Kind: "Job"}, "Pod", "api-x2k1q", true},
	} {
		if got := tc.service.has(tc.kind, tc.name); got != tc.want {
			t.Errorf("%s %s of %+v: %v", tc.kind, tc.name, tc.service, got)
		}
	}
}
