#!/bin/sh
# Runs before the files go. dpkg says remove or upgrade, rpm how many versions stay.
set -eu

case ${1:-} in
  remove | 0)
    if [ -d /run/systemd/system ]; then systemctl disable --quiet --now outrider-agent || true; fi
    ;;
esac
