package stack

import (
	"context"
	"fmt"
	"strings"

	"zr/pkg/fault"
)

// othersAreThere wants the services beside which this environment runs some of its
// own, before anything is built.
func (p *project) othersAreThere(ctx context.Context, on *connection) error {
	absent, err := on.deployer.Absent(ctx, p.rendered.Borrowed)
	if err != nil || len(absent) == 0 {
		return err
	}
	beside := *p.cfg
	beside.Namespace, beside.Only = "", nil
	return fault.Hint(fmt.Errorf("namespace %q, whose services are used beside %s, has no %s; nothing was built or changed",
		p.rendered.Borrowed.Namespace, strings.Join(p.cfg.Only, ", "), strings.Join(absent, ", ")),
		"`"+linesOf(&beside).Zr("up")+"` brings them up")
}
