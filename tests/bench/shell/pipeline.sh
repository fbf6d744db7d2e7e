#!/usr/bin/env bash
# Deploys a web application the usual way: build and test with a cache of layers, push by tag, sed, kubectl, sleep, curl.
# usage: pipeline.sh deploy|rollback   with, in the environment,
#   SOURCE           folder with backend/ and frontend/, each with a Dockerfile that has a stage `test`
#   K8S              kustomization with __BACKEND_IMAGE__, __FRONTEND_IMAGE__ and __REVISION__ in it
#   SHA              the commit, for the tags
#   REGISTRY         registry and owner
#   NAMESPACE        where it is deployed to
#   SITE, API        hosts of the page and of the API
#   PHASES           file for lines of `phase NAME SECONDS`, `part NAME SECONDS` and `failed NAME`, by tabs
#   PAUSE            seconds to sleep before it asks the site (10)
#   ROLLOUT_TIMEOUT  how long each workload may take (300s)
#   CURL_OPTIONS     how the site is reached, if not directly
# BUILDKIT_HOST, DOCKER_CONFIG and KUBECONFIG are those of buildctl and kubectl.
set -euo pipefail
export LC_ALL=C

work=$(mktemp -d)
current='' began=0

clock() { printf '%s' "${EPOCHREALTIME/./}"; }

since() {
    local passed=$(($(clock) - $1))
    printf '%d.%03d' $((passed / 1000000)) $((passed / 1000 % 1000))
}

note() { (IFS=$'\t' && printf '%s\n' "$*") >> "$PHASES"; }

phase() { # NAME: ends the phase before, and begins one
    [[ -z $current ]] || note phase "$current" "$(since "$began")"
    current=$1 began=$(clock)
}

finish() {
    local code=$?
    ((code == 0)) || note failed "$current"
    phase end
    rm -rf "$work"
}
trap finish EXIT

part() { # NAME COMMAND...: one of several side by side; what it printed is shown if it fails
    local name=$1 start
    shift
    start=$(clock)
    "$@" > "$work/$name.log" 2>&1 || {
        echo "$name failed:" >&2
        tail -n 40 "$work/$name.log" >&2
        return 1
    }
    note part "$name" "$(since "$start")"
}

together() { # waits for all that was started, and fails if one of them did
    local pid failed=0
    for pid in "$@"; do
        wait "$pid" || failed=1
    done
    return "$failed"
}

build() { # COMPONENT OPTION...
    local folder=$SOURCE/$1
    shift
    buildctl build --progress=plain --frontend=dockerfile.v0 --local context="$folder" --local dockerfile="$folder" "$@"
}

image() { echo "$REGISTRY/planera-$1"; }

push() { # COMPONENT: its layers are built by now; they are packed and uploaded here
    local names
    names="$(image "$1"):staging-$SHA,$(image "$1"):staging-latest"
    build "$1" --output "type=image,\"name=$names\",push=true"
}

build_all() {
    local component pids=()
    phase build # and test: all four side by side
    for component in backend frontend; do
        part "test-$component" build "$component" --opt target=test &
        pids+=($!)
        part "build-$component" build "$component" &
        pids+=($!)
    done
    together "${pids[@]}"

    phase push
    pids=()
    for component in backend frontend; do
        part "push-$component" push "$component" &
        pids+=($!)
    done
    together "${pids[@]}"
}

kube() { kubectl --namespace="$NAMESPACE" "$@"; }

apply_all() {
    local job manifests=$work/manifests.yaml
    phase render
    kubectl kustomize "$K8S" > "$work/rendered.yaml"
    sed -e "s|__BACKEND_IMAGE__|$(image backend):staging-$SHA|g" \
        -e "s|__FRONTEND_IMAGE__|$(image frontend):staging-$SHA|g" \
        -e "s|__REVISION__|\"$SHA\"|g" "$work/rendered.yaml" > "$manifests"

    phase apply
    # A Job cannot be changed in place: one that is to be another is deleted first.
    for job in database-password migrate; do
        kube apply --dry-run=server -f "$manifests" -l "app.kubernetes.io/name=$job" > "$work/$job.log" 2>&1 ||
            kube delete job "$job" --ignore-not-found
    done
    kube apply -f "$manifests"
}

rolled_out() { # WORKLOAD...
    local workload
    for workload in "$@"; do
        kube rollout status "$workload" --timeout="$ROLLOUT_TIMEOUT"
    done
}

follow() {
    local job
    phase rollout
    rolled_out statefulset/postgres
    for job in database-password migrate; do
        kube wait --for=condition=complete "job/$job" --timeout="$ROLLOUT_TIMEOUT"
    done
    rolled_out deployment/backend deployment/frontend
}

ask() { # URL
    # shellcheck disable=SC2086 # several options
    curl --fail --silent --show-error --output /dev/null --max-time 5 \
        --retry 10 --retry-delay 1 --retry-all-errors ${CURL_OPTIONS:-} "$1"
}

check() {
    phase sleep
    sleep "${PAUSE:=10}"
    phase curl
    ask "https://$SITE/"
    ask "https://$SITE/api/version"
    ask "https://$API/health"
}

: "${ROLLOUT_TIMEOUT:=300s}" "${PHASES:=/dev/stderr}" "${NAMESPACE:?}" "${SITE:?}" "${API:?}"
case ${1:-} in
    deploy)
        : "${SOURCE:?}" "${K8S:?}" "${SHA:?}" "${REGISTRY:?}"
        build_all
        apply_all
        follow
        ;;
    rollback)
        phase undo
        kube rollout undo deployment/backend
        kube rollout undo deployment/frontend
        phase rollout
        rolled_out deployment/backend deployment/frontend
        ;;
    *)
        echo "usage: pipeline.sh deploy|rollback" >&2
        exit 2
        ;;
esac
check
