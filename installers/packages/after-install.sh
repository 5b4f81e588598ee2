#!/bin/sh
# Runs after the files are there: for a first installation and for every upgrade, under dpkg and rpm.
set -eu

if ! id outrider-agent >/dev/null 2>&1; then
  useradd --system --user-group --no-create-home --home-dir /var/lib/outrider-agent --shell /usr/sbin/nologin \
    --comment 'Outrider agent' outrider-agent
fi
install -d -o outrider-agent -g outrider-agent -m 0700 /var/lib/outrider-agent

if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable --quiet outrider-agent
  # An agent that has joined goes on as the new version; without an identity the unit's condition lets it rest.
  systemctl restart outrider-agent || echo 'outrider-agent could not be started: journalctl -u outrider-agent says why' >&2
fi

if [ ! -e /var/lib/outrider-agent/identity/agent.json ]; then
  cat <<'TEXT'
The agent has joined no hub yet. With a join token (the hub's page: Settings, Hosts), as root:
  setpriv --reuid=outrider-agent --regid=outrider-agent --init-groups outrider-agent enroll --data /var/lib/outrider-agent
  systemctl start outrider-agent
TEXT
fi
