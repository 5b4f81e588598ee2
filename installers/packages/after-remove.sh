#!/bin/sh
# Runs after the files are gone. dpkg remove keeps settings and state; purge, and rpm, which knows no purge, leave nothing.
set -eu

if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi

case ${1:-} in
  purge | 0)
    rm -rf /var/lib/outrider-agent
    if id outrider-agent >/dev/null 2>&1; then userdel outrider-agent; fi
    rm -rf /etc/systemd/system/outrider-agent.service.d
    rmdir /etc/outrider 2>/dev/null || true # A hub may have its settings there.
    ;;
esac
