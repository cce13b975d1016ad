# purpose: sourced by the scripts beside it: brings missing Debian packages, as root or through sudo, and says so
# use:     . scripts/packages.bash; need_packages "what for" PACKAGE…    returns 1 with a message when it cannot
# needs:   dpkg-query; apt-get, and root or sudo, only when a package is missing

missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || echo "$package"
  done
}

need_packages() {
  local purpose=$1 missing as_root=
  shift
  if ! command -v dpkg-query >/dev/null; then
    echo "note: this is no Debian system; bring what these packages hold yourself: $*" >&2
    return 0
  fi
  missing=$(missing_packages "$@" | tr '\n' ' ')
  [ -z "$missing" ] && return 0
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "$purpose needs Debian packages that are not installed: $missing" >&2
      echo "next: as root, run  apt-get install $missing" >&2
      return 1
    fi
    as_root=sudo
  fi
  echo "installing for $purpose (${as_root:-as root}): $missing" >&2
  # shellcheck disable=SC2086
  if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends $missing >/dev/null; then
    $as_root apt-get update -qq || true
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends $missing >/dev/null || {
      echo "next: run  apt-get update  and look at its errors, then run this script again" >&2
      return 1
    }
  fi
}
