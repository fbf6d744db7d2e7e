// Package github stands in for GitHub's API, of which the engine reads the event of a workflow for its telemetry.
package github

import "errors"

// ParseWebHook returns no event: telemetry goes without its labels.
func ParseWebHook(string, []byte) (any, error) {
	return nil, errors.New("the lab's engine reads no events of GitHub")
}

type (
	PullRequest         struct{}
	PullRequestBranch   struct{}
	HeadCommit          struct{}
	CommitAuthor        struct{}
	Repository          struct{}
	PushEvent           struct{}
	PushEventRepository struct{}
)

func (*PullRequest) GetNumber() int              { return 0 }
func (*PullRequest) GetTitle() string            { return "" }
func (*PullRequest) GetHTMLURL() string          { return "" }
func (*PullRequest) GetHead() *PullRequestBranch { return nil }

func (*PullRequestBranch) GetRef() string   { return "" }
func (*PullRequestBranch) GetSHA() string   { return "" }
func (*PullRequestBranch) GetLabel() string { return "" }

func (*HeadCommit) GetID() string               { return "" }
func (*HeadCommit) GetMessage() string          { return "" }
func (*HeadCommit) GetAuthor() *CommitAuthor    { return nil }
func (*HeadCommit) GetCommitter() *CommitAuthor { return nil }

func (*CommitAuthor) GetName() string  { return "" }
func (*CommitAuthor) GetEmail() string { return "" }

func (*Repository) GetFullName() string { return "" }
func (*Repository) GetCloneURL() string { return "" }
func (*Repository) GetHTMLURL() string  { return "" }

func (*PushEvent) GetRepo() *PushEventRepository { return nil }

func (*PushEventRepository) GetFullName() string { return "" }
func (*PushEventRepository) GetCloneURL() string { return "" }
func (*PushEventRepository) GetHTMLURL() string  { return "" }
