#!/bin/sh
# Installs the Outrider agent on this machine, joins it to a hub and starts it; again, it upgrades in place.
set -eu

# Written by make package. Whoever has this script unchanged has the agent unchanged: the digests are in it.
version=''
digests=''
public_key=''

user=outrider-agent
program=/usr/bin/outrider-agent
data=/var/lib/outrider-agent
settings=/etc/outrider/outrider-agent.yaml
unit=/etc/systemd/system/outrider-agent.service
openrc=/etc/init.d/outrider-agent

usage() {
  cat <<'TEXT'
usage: sh install.sh [--from place] [--version x.y.z] [--label key=value]... [--dry-run]
       sh install.sh --uninstall [--dry-run]

Installs the agent as the service outrider-agent with a user of its own, joins it to a hub and starts it.
The join token is read from standard input or OUTRIDER_JOIN_TOKEN, never from an argument.

  --from place        a hub's address, a mirror or a folder with what make package left (default: the token's hub)
  --version x.y.z     another version than the one of this script; its signature is checked with openssl
  --label key=value   a label of this host; may be repeated
  --dry-run           fetch and check, then say what would be done; changes nothing
  --uninstall         stop it and remove it with its settings and everything that it keeps
TEXT
}

say() { printf '%s\n' "$*"; }
give_up() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }
# Does something to the system, or says that it would.
act() { if [ "$dry" = yes ]; then say "would run: $*"; else "$@"; fi; }

from='' wanted='' labels='' dry=no uninstall=no
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --dry-run) dry=yes; shift ;;
    --uninstall) uninstall=yes; shift ;;
    --from | --version | --label)
      [ $# -gt 1 ] || give_up "$1 needs a value"
      case $1 in
        --from) from=${2%/} ;;
        --version) wanted=$2 ;;
        --label)
          case $2 in *[!A-Za-z0-9._:/@=-]* | =*) give_up "a label is key=value, of letters, digits and ._:/@-" ;; *=*) ;; *) give_up 'a label is written key=value' ;; esac
          labels="$labels --label $2" ;;
      esac
      shift 2 ;;
    orj_*) give_up 'the join token is no argument: every user of this machine could read it. Give it on standard input.' ;;
    *) usage >&2; exit 2 ;;
  esac
done
[ "$(id -u)" = 0 ] || [ "$dry" = yes ] || give_up 'this makes a user and a service: run it as root.'

init=none
if [ -d /run/systemd/system ]; then init=systemd; elif has rc-update && [ -d /run/openrc ]; then init=openrc; fi

stop_service() {
  case $init in
    systemd) act systemctl disable --quiet --now outrider-agent 2>/dev/null || true ;;
    openrc) act rc-service --ifstarted outrider-agent stop || true; act rc-update --quiet delete outrider-agent || true ;;
  esac
}

start_service() {
  case $init in
    systemd) act systemctl daemon-reload; act systemctl enable --quiet outrider-agent; act systemctl restart outrider-agent ;;
    openrc) act rc-update --quiet add outrider-agent default; act rc-service outrider-agent restart ;;
  esac
}

# The package that owns the program, as its manager calls it.
owner() {
  if has dpkg-query && dpkg-query -S "$program" >/dev/null 2>&1; then echo dpkg
  elif has rpm && rpm -q outrider-agent >/dev/null 2>&1; then echo rpm; fi
}

remove_all() {
  case $(owner) in
    dpkg) act dpkg --purge outrider-agent ;;
    rpm) act rpm -e outrider-agent ;;
    *) stop_service ;;
  esac
  act rm -rf "$program" "$program.previous" "$program.new" "$unit" "$unit.d" "$openrc" "$data" "$settings" /usr/share/doc/outrider-agent
  if [ -d /etc/outrider ]; then act rmdir /etc/outrider 2>/dev/null || true; fi # A hub may have its settings there.
  if [ "$init" = systemd ]; then act systemctl daemon-reload; fi
  if id "$user" >/dev/null 2>&1; then act userdel "$user"; fi
  say 'the agent is gone, with its settings and everything that it kept.'
}

if [ "$uninstall" = yes ]; then remove_all; exit 0; fi

case $(owner) in
  dpkg) give_up 'the agent is here as a Debian package: upgrade it with apt, or apt-get purge outrider-agent first.' ;;
  rpm) give_up 'the agent is here as an RPM: upgrade it with dnf, or dnf remove outrider-agent first.' ;;
esac
case $(uname -s)-$(uname -m) in
  Linux-x86_64) arch=x64 ;;
  Linux-aarch64 | Linux-arm64) arch=arm64 ;;
  *) give_up "there is no executable for $(uname -s) on $(uname -m): run the agent with Node 20.19 or newer instead." ;;
esac
for file in /lib/ld-musl-*; do
  [ ! -e "$file" ] || [ -e /lib64/ld-linux-x86-64.so.2 ] || [ -e /lib/ld-linux-aarch64.so.1 ] || give_up 'this system is built on musl, and the executable needs glibc 2.28: run the container image instead.'
done

# The token: to join, and to know the hub to fetch from. A terminal is asked; a pipe is read; without either it is installed and waits.
token=${OUTRIDER_JOIN_TOKEN:-}
unset OUTRIDER_JOIN_TOKEN
joined=no
[ ! -e "$data/identity/agent.json" ] || joined=yes
if [ -z "$token" ] && { [ "$joined" = no ] || [ -z "$from" ]; } && { [ "$dry" = no ] || [ -z "$from" ]; }; then
  if [ -t 0 ]; then printf 'join token (empty: join later): ' >&2; fi
  read -r token || true
fi
hub_of_token() {
  body=${token#orj_}
  printf '%s===' "$body" | tr '_-' '/+' | base64 -d 2>/dev/null | sed -n 's/.*"url":"\([^"]*\)".*/\1/p'
}
[ -n "$from" ] || from=$(hub_of_token)
[ -n "$from" ] || give_up 'where is the agent to come from? Give a join token on standard input, or --from with an address or a folder.'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

# Fetches a file into the work folder. Who answers is not believed: what came is checked below.
fetch() {
  case $from in
    http://* | https://*)
      address=$from/downloads/$1
      if has curl; then curl -fsSk --proto '=http,https' --max-time 900 --max-filesize 300000000 -o "$work/$1" "$address" || return 1
      elif has wget; then wget -q --no-check-certificate -O "$work/$1" "$address" || return 1
      else give_up 'install curl or wget, or copy what make package left to a folder here and name it with --from.'; fi ;;
    *) cp "$from/$1" "$work/$1" || return 1 ;;
  esac
}

# The digest that a file must have: this script's own word, or that of a list whose signature holds.
expected_digest() {
  if [ -z "$wanted" ] || [ "$wanted" = "$version" ]; then
    printf '%s\n' "$digests" | sed -n "s/^\([0-9a-f]\{64\}\) $1\$/\1/p"
    return
  fi
  has openssl || give_up "to check the signature of another version than $version, install openssl."
  { fetch SHA256SUMS && fetch SHA256SUMS.sig; } || give_up "$from has no signed sums of version $wanted."
  printf '%s\n' "$public_key" >"$work/key.pem"
  openssl pkeyutl -verify -pubin -inkey "$work/key.pem" -rawin -in "$work/SHA256SUMS" -sigfile "$work/SHA256SUMS.sig" >/dev/null 2>&1 ||
    give_up "the signature of $from is not by the key of this script: nothing was installed. (It takes OpenSSL 3.)"
  sed -n "s/^\([0-9a-f]\{64\}\)  $1\$/\1/p" "$work/SHA256SUMS"
}

[ -n "$version" ] || give_up 'this is the source of the script: make package writes the one to run, into dist/package.'
case $wanted in *[!0-9A-Za-z.+-]*) give_up 'a version is written like 1.2.3' ;; esac
name=outrider-agent-${wanted:-$version}-linux-$arch
digest=$(expected_digest "$name.tar.gz")
[ -n "$digest" ] || give_up "there is no digest for $name.tar.gz: this package was made for another architecture or version."
say "fetching $name …"
fetch "$name.tar.gz" || give_up "$name.tar.gz could not be had from $from. A hub serves what make package left in dist/package, or in the folder downloads of its data."
got=$(sha256sum "$work/$name.tar.gz"); got=${got%% *}
[ "$got" = "$digest" ] || give_up "$name.tar.gz is not what it should be (SHA-256 $got, not $digest): nothing was installed."
tar -xzf "$work/$name.tar.gz" -C "$work" --no-same-owner
here=$work/$name

say "installing ${wanted:-$version} …"
if ! id "$user" >/dev/null 2>&1; then
  act useradd --system --user-group --no-create-home --home-dir "$data" --shell /usr/sbin/nologin --comment 'Outrider agent' "$user"
fi
act install -d -o "$user" -g "$user" -m 0700 "$data"
act install -d -m 0755 /etc/outrider
[ -e "$settings" ] || act install -m 0644 "$here/outrider-agent.yaml" "$settings"
act install -m 0755 "$here/outrider-agent" "$program.new"
runs() { "$program.new" --version >/dev/null 2>&1; }
# The one library that a bare system may lack.
add_libatomic() {
  say 'adding the library libatomic …'
  if has apt-get; then apt-get install -y -qq --no-install-recommends libatomic1 </dev/null >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq --no-install-recommends libatomic1; } </dev/null >/dev/null
  elif has dnf; then dnf install -y -q libatomic </dev/null
  elif has yum; then yum install -y -q libatomic </dev/null
  elif has zypper; then zypper --quiet --non-interactive install libatomic1 </dev/null
  else return 1; fi
}
if [ "$dry" = no ]; then
  runs || { "$program.new" --version 2>&1 | grep -q libatomic && add_libatomic; } || true
  runs || { "$program.new" --version || true; rm -f "$program.new"; give_up 'the executable does not run here; above is why. It needs glibc 2.28, libstdc++ and libatomic.'; }
fi
[ ! -e "$program" ] || act cp -p "$program" "$program.previous"
act mv "$program.new" "$program"
act install -d /usr/share/doc/outrider-agent
act install -m 0644 "$here/LICENSE" "$here/THIRD-PARTY-LICENSES" "$here/read-all-logs.conf" /usr/share/doc/outrider-agent
case $init in
  systemd) act install -m 0644 "$here/outrider-agent.service" "$unit" ;;
  openrc) act install -m 0755 "$here/outrider-agent.openrc" "$openrc" ;;
esac

as_agent() { if has runuser; then runuser -u "$user" -- "$@"; else setpriv --reuid="$user" --regid="$user" --init-groups "$@"; fi; }
if [ "$joined" = no ] && [ -n "$token" ]; then
  say 'joining …'
  # shellcheck disable=SC2086 # Labels are words of their own, of checked letters.
  if [ "$dry" = yes ]; then say 'would join the hub with the token'
  else printf '%s\n' "$token" | as_agent "$program" enroll --data "$data" $labels; joined=yes; fi
fi

# A new version has a minute to be well; else the one before comes back.
is_well() { as_agent "$program" status --alive --data "$data" >/dev/null 2>&1; }
await_well() {
  tries=0
  until is_well; do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || return 1
    sleep 1
  done
}

if [ "$joined" = no ]; then
  case $init in systemd) act systemctl daemon-reload; act systemctl enable --quiet outrider-agent ;; openrc) act rc-update --quiet add outrider-agent default ;; esac
  say "installed. It has joined no hub yet: run this again with a join token on standard input."
elif [ "$init" = none ]; then
  say "installed. There is neither systemd nor OpenRC here, so nothing keeps it running. To run it: runuser -u $user -- $program run --data $data"
else
  start_service
  if [ "$dry" = no ] && ! await_well; then
    if [ -e "$program.previous" ]; then
      mv "$program.previous" "$program"
      start_service
      give_up "the new version did not run within a minute, so the one before is back. Its log is in $data/log."
    fi
    give_up "it was installed and does not run; its log is in $data/log."
  fi
  say 'installed, and running as the service outrider-agent.'
  if [ "$dry" = no ] && ! as_agent "$program" status --data "$data" >/dev/null 2>&1; then
    say 'Its settings file has a fault, so it runs on with what it read before. What is wrong says: outrider-agent check-config'
  fi
fi
act rm -f "$program.previous"
