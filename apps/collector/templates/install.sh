#!/bin/sh
# Installs the Sluice agent on this host and enrols it at one collector. Run again, it changes only
# what is missing. What it does, in order:
#
#   1. downloads the agent from the collector and checks its SHA-256 against the collector's list:
#      one file for the Node.js of this host (22.15 or newer), else an executable of its own
#   2. puts it into /usr/local/bin/sluice-agent
#   3. makes the system user sluice-agent, of the groups that may read logs
#   4. writes /etc/sluice/ca.pem and, where there is none, /etc/sluice/agent.yaml
#   5. exchanges the enrolment token for a key of this host's own
#   6. installs the systemd unit, and starts it where systemd runs
#
#   usage: sh install.sh [CA_FILE] < TOKEN
#
#   CA_FILE  the collector's authority; without it, those that this system knows
#   TOKEN    on stdin; not needed on a host that is enrolled already
#
# Nothing else is written, and nothing of it is sent anywhere but to the collector.

set -eu

COLLECTOR=@COLLECTOR_URL@
BINARY=/usr/local/bin/sluice-agent
CONFIG_DIR=/etc/sluice
STATE_DIR=/var/lib/sluice-agent
AGENT_USER=sluice-agent

say() { printf '%-11s%s\n' "$1" "$2"; }

fail() {
  printf 'sluice: %s\n  %s\n' "$1" "$2" >&2
  exit 1
}

main() {
  [ "$(id -u)" = 0 ] || fail "this needs root" "run it with sudo"
  [ "$(uname -s)" = Linux ] || fail "the agent is for Linux" "there is no build for $(uname -s)"
  ca_file=${1:-}
  [ -z "$ca_file" ] || [ -r "$ca_file" ] || fail "cannot read $ca_file" "give the collector's ca.pem"

  # Not on the command line of any process, nor in a file that others may read.
  token=
  [ -t 0 ] || IFS= read -r token || true

  umask 077
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' HUP INT TERM

  download_agent
  install_binary
  make_user
  write_config
  enrol
  install_service
}

# fetch PATH FILE: by curl or wget, whichever is there, believing nobody but CA_FILE where it is given.
fetch() {
  if command -v curl >/dev/null 2>&1; then
    set -- "$1" "$2" curl -fsS --retry 3
    [ -z "$ca_file" ] || set -- "$@" --cacert "$ca_file" --capath "$work"
    path=$1 file=$2
    shift 2
    "$@" -o "$file" "$COLLECTOR/$path"
  elif command -v wget >/dev/null 2>&1; then
    set -- "$1" "$2" wget -q --tries=3
    [ -z "$ca_file" ] || set -- "$@" --ca-certificate="$ca_file" --ca-directory="$work"
    path=$1 file=$2
    shift 2
    "$@" -O "$file" "$COLLECTOR/$path"
  else
    fail "there is neither curl nor wget" "install one of them: apt-get install curl"
  fi || fail "cannot download $COLLECTOR/$path" \
    "see that the collector runs, and that no firewall and nobody else is between"
}

# The names that the collector's list has for a pattern (of grep -E); the last is the newest.
listed() { sed -n 's/^[0-9a-f]\{64\} [ *]//p' "$work/SHA256SUMS" | grep -E "^$1\$" | tail -n 1; }

has_node() {
  command -v node >/dev/null 2>&1 &&
    node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 22 || (a == 22 && b >= 15) ? 0 : 1)'
}

download_agent() {
  fetch download/SHA256SUMS "$work/SHA256SUMS"
  case $(uname -m) in
    x86_64 | amd64) arch='(x64|x86_64|amd64)' ;;
    aarch64 | arm64) arch='(arm64|aarch64)' ;;
    *) arch="$(uname -m)" ;;
  esac
  product=
  if has_node; then
    product=$(listed 'sluice-agent[0-9A-Za-z._+~-]*\.[cm]?js')
  fi
  if [ -z "$product" ]; then
    product=$(listed "sluice-agent[0-9A-Za-z._+~-]*linux-$arch")
  fi
  [ -n "$product" ] || fail "the collector has no agent for this host ($(uname -m))" \
    "put it into the collector's products_dir, or install Node.js 22.15 or newer here"

  sum=$(sed -n "s/^\([0-9a-f]\{64\}\) [ *]$product\$/\1/p" "$work/SHA256SUMS" | head -n 1)
  if [ -x "$BINARY" ] && [ "$(sha256_of "$BINARY")" = "$sum" ]; then
    downloaded=
    return
  fi
  fetch "download/$product" "$work/sluice-agent"
  downloaded=$work/sluice-agent
  actual=$(sha256_of "$downloaded")
  [ "$actual" = "$sum" ] || fail "the SHA-256 of $product is $actual, and not $sum" \
    "nothing was installed; try again, and look at the collector's products_dir"
}

sha256_of() { sha256sum "$1" | cut -d ' ' -f 1; }

install_binary() {
  if [ -z "$downloaded" ]; then
    say unchanged "$BINARY ($product)"
    return
  fi
  mkdir -p "$(dirname "$BINARY")"
  chmod 0755 "$downloaded"
  # Beside it first: a running agent keeps its file, and no half of one is ever started.
  cp "$downloaded" "$BINARY.new"
  chmod 0755 "$BINARY.new"
  mv -f "$BINARY.new" "$BINARY"
  say installed "$BINARY ($product)"
}

make_user() {
  if ! getent passwd "$AGENT_USER" >/dev/null; then
    useradd --system --user-group --no-create-home --home-dir /nonexistent \
      --shell /usr/sbin/nologin "$AGENT_USER"
    say made "user $AGENT_USER"
  fi
  for group in adm systemd-journal; do
    if getent group "$group" >/dev/null && ! id -nG "$AGENT_USER" | tr ' ' '\n' | grep -qx "$group"; then
      usermod -aG "$group" "$AGENT_USER"
      say made "$AGENT_USER a member of $group, which may read logs"
    fi
  done
  if [ ! -d "$STATE_DIR" ]; then
    mkdir -p "$STATE_DIR"
    chmod 0700 "$STATE_DIR"
    chown "$AGENT_USER:" "$STATE_DIR"
  fi
}

write_config() {
  mkdir -p "$CONFIG_DIR"
  chmod 0755 "$CONFIG_DIR"
  if [ -n "$ca_file" ] && ! cmp -s "$ca_file" "$CONFIG_DIR/ca.pem"; then
    cp "$ca_file" "$CONFIG_DIR/ca.pem"
    chmod 0644 "$CONFIG_DIR/ca.pem"
    say wrote "$CONFIG_DIR/ca.pem"
  fi
  if [ -e "$CONFIG_DIR/agent.yaml" ]; then
    say unchanged "$CONFIG_DIR/agent.yaml"
    return
  fi
  {
    echo "# The Sluice agent. \`sluice-agent check\` validates this file, \`sluice-agent doctor\` looks at all it needs."
    echo "collector: $(printf '%s' "$COLLECTOR" | sed 's/^http/ws/')"
    echo "token_file: $STATE_DIR/agent.key # this host's own key; the agent replaces it when it is asked to"
    echo "state_dir: $STATE_DIR"
    if [ -n "$ca_file" ]; then
      echo "tls:"
      echo "  ca_file: $CONFIG_DIR/ca.pem"
    fi
    echo "# labels: { env: prod }"
    echo "sources:"
    echo "  - file: [\"/var/log/**/*.log\", /var/log/syslog, /var/log/messages]"
    echo "    exclude: \"/var/log/installer/**\""
    if command -v journalctl >/dev/null 2>&1; then
      echo "  - journald: {}"
    fi
  } >"$work/agent.yaml"
  cp "$work/agent.yaml" "$CONFIG_DIR/agent.yaml"
  chmod 0644 "$CONFIG_DIR/agent.yaml"
  say wrote "$CONFIG_DIR/agent.yaml"
}

enrol() {
  # As the agent's user: the key is its own. printf is the shell's: the token is no process's argument.
  printf '%s\n' "$token" | as_agent "$BINARY" enroll --config "$CONFIG_DIR/agent.yaml" ||
    fail "this host is not enrolled" "the agent is installed; what it said above is the next thing to do"
}

as_agent() {
  if command -v setpriv >/dev/null 2>&1; then
    setpriv --reuid "$AGENT_USER" --regid "$AGENT_USER" --init-groups "$@"
  else
    runuser -u "$AGENT_USER" -- "$@"
  fi
}

install_service() {
  # One that runs the program of before is started again; one that is started now runs the new one.
  running=
  if [ -d /run/systemd/system ] && systemctl --quiet is-active sluice-agent.service; then
    running=yes
  fi
  if "$BINARY" service print >/dev/null 2>&1; then
    "$BINARY" service install --program "$BINARY"
  fi
  if [ -n "$downloaded" ] && [ -n "$running" ]; then
    systemctl try-restart sluice-agent.service
  fi
  if [ ! -d /run/systemd/system ]; then
    say next "systemd does not run here, so nothing was started. To start it by hand:"
    say "" "setpriv --reuid $AGENT_USER --regid $AGENT_USER --init-groups $BINARY run --config $CONFIG_DIR/agent.yaml"
  fi
}

# The last line: of a script that was cut off on its way nothing is carried out.
main "$@"
