"""The steps of a deployment, as the report, the spans and the picture name them."""

STEPS = ("build", "test", "smoke", "publish", "apply", "rollout", "verify", "tag", "rollback")
