// Stands in for the clients of language models: their SDKs are a tenth of all the code that the engine is built from.
package core

import (
	"context"
	"errors"
)

type noModel struct{}

func (noModel) SendQuery(context.Context, []*ModelMessage, []LLMTool) (*LLMResponse, error) {
	return nil, errors.New("the lab's engine asks no language model")
}

func (noModel) IsRetryable(error) bool { return false }

func newAnthropicClient(*LLMEndpoint) LLMClient { return noModel{} }

func newOpenAIClient(*LLMEndpoint, string, bool) LLMClient { return noModel{} }

func newGenaiClient(*LLMEndpoint) (LLMClient, error) { return noModel{}, nil }
