package main

import (
	"bytes"
	"context"
	"io"
	"log"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	clientset "github.com/cert-manager/cert-manager/pkg/client/clientset/versioned"
)

// forget makes the issuers register again when the authority signs with another certificate: Pebble keeps
// all in memory, so a restarted one knows no account, and cert-manager registers only once.
func forget(ctx context.Context, client clientset.Interface, authority string) {
	var last []byte
	for ctx.Err() == nil {
		if signer := fetch(ctx, authority); signer != nil && !bytes.Equal(signer, last) && clear(ctx, client) {
			last = signer
		}
		select {
		case <-ctx.Done():
		case <-time.After(2 * time.Second):
		}
	}
}

func fetch(ctx context.Context, address string) []byte {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		log.Fatalf("read the address of the authority: %v", err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return nil
	}
	return body
}

func clear(ctx context.Context, client clientset.Interface) bool {
	issuers, err := client.CertmanagerV1().ClusterIssuers().List(ctx, metav1.ListOptions{})
	if err != nil {
		log.Printf("list the issuers: %v", err)
		return false
	}
	for _, issuer := range issuers.Items {
		patch := []byte(`{"status":{"acme":{"uri":null}}}`)
		_, err := client.CertmanagerV1().ClusterIssuers().Patch(
			ctx, issuer.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
		if err != nil {
			log.Printf("forget the account of issuer %s: %v", issuer.Name, err)
			return false
		}
	}
	return true
}
