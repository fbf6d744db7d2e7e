#!/bin/sh
# Runs COMMAND as pid 1 of namespaces of its own, with a root that no other process sees.
# usage: enter-root.sh COMMAND...   with, in the environment,
#   LAB_NETNS        file of the lab's network namespace
#   LAB_CGROUPS      folders of cgroups to enter, one a line (empty where a systemd scope did that)
#   LAB_LOWER        read-only folders of the root, the first on top, joined by ':'
#   LAB_SCRATCH      an empty folder to mount the root below
#   LAB_BINDS        HOST:GUEST pairs to show inside, one a line
#   LAB_PROPAGATION  shared (the kubelet needs it) or private (the engine needs that)
#   LAB_GOGC         how much Go programs let their memory grow before they collect garbage (empty: as they like)
# To stop it, kill the process: --kill-child takes the whole pid namespace along.
set -eu

if [ "${1:-}" != --inside ]; then
    printf '%s\n' "$LAB_CGROUPS" | while read -r folder; do
        [ -z "$folder" ] || echo $$ > "$folder/cgroup.procs"
    done
    exec nsenter --net="$LAB_NETNS" unshare --mount --cgroup --pid --uts --ipc --fork --kill-child \
        sh "$0" --inside "$@"
fi
shift

mount --make-rprivate /
mount -t tmpfs -o mode=755 planera-lab "$LAB_SCRATCH"
root=$LAB_SCRATCH/root
mkdir "$root" "$LAB_SCRATCH/upper" "$LAB_SCRATCH/work"
mount -t overlay -o "lowerdir=$LAB_LOWER,upperdir=$LAB_SCRATCH/upper,workdir=$LAB_SCRATCH/work" planera-lab "$root"

# The host's cgroup mounts, seen from the cgroup namespace: inside, the lab's own group is the top.
hierarchies=$(awk '($3 == "cgroup" || $3 == "cgroup2") && $2 ~ "^/sys/fs/cgroup" {print $3, $2, $4}' /proc/self/mounts)
mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/run"
mount -t proc proc "$root/proc"
# the kernel's settings are the host's, except those that each network namespace has of its own
mount --bind "$root/proc/sys" "$root/proc/sys"
mount --bind "$root/proc/sys/net" "$root/proc/sys/net"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs sysfs "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
if ! printf '%s\n' "$hierarchies" | grep -q '^cgroup2 /sys/fs/cgroup '; then
    mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
fi
printf '%s\n' "$hierarchies" | while read -r type folder options; do
    [ -n "$type" ] || continue
    mkdir -p "$root$folder"
    case $type in
        cgroup) mount -t cgroup -o "${options#rw,relatime,}" cgroup "$root$folder" ;;
        cgroup2) mount -t cgroup2 cgroup2 "$root$folder" ;;
    esac
done

printf '%s\n' "$LAB_BINDS" | while IFS=: read -r host guest; do
    [ -n "$host" ] || continue
    if [ -d "$host" ]; then
        mkdir -p "$root$guest"
    else
        mkdir -p "$root${guest%/*}"
        [ -e "$root$guest" ] || : > "$root$guest"
    fi
    mount --bind "$host" "$root$guest"
done

# chroot would not do: the engine and the kubelet move mounts, and those must be the root's own.
mkdir "$root/.old"
cd "$root"
pivot_root . .old
umount -l /.old
rmdir /.old
mount --make-r"$LAB_PROPAGATION" /

# cgroup v2 lets a group have either processes or controllers for its children: keep the top free of processes.
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    mkdir -p /sys/fs/cgroup/init
    for process in $(cat /sys/fs/cgroup/cgroup.procs); do
        echo "$process" > /sys/fs/cgroup/init/cgroup.procs 2>/dev/null || true
    done
    for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
        echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control || true
    done
fi

exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
    ${LAB_GOGC:+"GOGC=$LAB_GOGC"} "$@"
