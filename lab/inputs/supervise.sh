#!/bin/sh
# Starts every line "NAME COMMAND..." of a file, each with its own log, and starts again what ends, as soon as there
# is no file /run/held/NAME: `lab/lab fault stop NAME` puts one there.
# usage: supervise.sh FILE LOGS
set -eu
file=$1 logs=$2
mkdir -p "$logs"
grep -vE '^(#|$)' "$file" > /run/processes
while read -r name command; do
    (
        while :; do
            while [ -e "/run/held/$name" ]; do sleep 0.1; done
            # shellcheck disable=SC2086  # the file's words are the command's arguments
            $command >> "$logs/$name.log" 2>&1 || true
            echo "--- $name ended, starting it again ---" >> "$logs/$name.log"
            sleep 0.5
        done
    ) &
done < /run/processes
wait
