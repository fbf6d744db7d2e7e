// cert-manager's controllers for certificates of Ingresses by ACME. Its own program is a module that the registries
// lack, and its other issuers and DNS-01 providers bring in the SDKs of half a dozen services.
package main

import (
	"context"
	"flag"
	"log"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/klog/v2"

	"github.com/cert-manager/cert-manager/pkg/controller"
	_ "github.com/cert-manager/cert-manager/pkg/controller/acmechallenges"
	_ "github.com/cert-manager/cert-manager/pkg/controller/acmeorders"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificate-shim/ingresses"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/acme"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/acme"
)

const workers = 5

func main() {
	solver := flag.String("solver", "", "image that answers HTTP-01 challenges")
	namespace := flag.String("namespace", "cert-manager", "namespace of the accounts' keys")
	atOnce := flag.Int("challenges", 10, "challenges solved at once")
	check := flag.Duration("check", 10*time.Second, "pause between a challenge's own checks that its answer is there")
	retry := flag.Duration("retry", time.Hour, "first pause after an order that failed")
	longest := flag.Duration("longest", 32*time.Hour, "longest pause after orders that failed")
	authority := flag.String("authority", "", "address of the certificate that it signs with: accounts are made anew when that changes")
	klog.InitFlags(nil)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	factory, err := controller.NewContextFactory(ctx, controller.ContextOptions{
		IssuerOptions: controller.IssuerOptions{ClusterResourceNamespace: *namespace},
		ACMEOptions: controller.ACMEOptions{
			HTTP01SolverImage:                 *solver,
			HTTP01SolverResourceRequestCPU:    resource.MustParse("10m"),
			HTTP01SolverResourceRequestMemory: resource.MustParse("64Mi"),
			HTTP01SolverResourceLimitsCPU:     resource.MustParse("100m"),
			HTTP01SolverResourceLimitsMemory:  resource.MustParse("64Mi"),
			ACMEHTTP01SolverRunAsNonRoot:      true,
			DNS01CheckRetryPeriod:             *check,
		},
		IngressShimOptions: controller.IngressShimOptions{
			DefaultIssuerKind:                 "Issuer",
			DefaultIssuerGroup:                "cert-manager.io",
			DefaultAutoCertificateAnnotations: []string{"kubernetes.io/tls-acme"},
		},
		CertificateOptions: controller.CertificateOptions{
			CopiedAnnotationPrefixes:                 []string{"*", "-kubectl.kubernetes.io/"},
			CertificateRequestMinimumBackoffDuration: *retry,
			CertificateRequestMaximumBackoffDuration: *longest,
		},
		SchedulerOptions: controller.SchedulerOptions{MaxConcurrentChallenges: *atOnce},
	})
	if err != nil {
		log.Fatalf("build the context: %v", err)
	}
	shared, err := factory.Build()
	if err != nil {
		log.Fatalf("build the clients: %v", err)
	}
	if *authority != "" {
		go forget(ctx, shared.CMClient, *authority)
	}

	var running sync.WaitGroup
	for name, build := range controller.Known() {
		control, err := build(factory)
		if err != nil {
			log.Fatalf("build controller %s: %v", name, err)
		}
		running.Go(func() {
			if err := control.Run(workers, ctx); err != nil {
				log.Fatalf("run controller %s: %v", name, err)
			}
		})
	}
	shared.SharedInformerFactory.Start(ctx.Done())
	shared.KubeSharedInformerFactory.Start(ctx.Done())
	shared.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	running.Wait()
}
