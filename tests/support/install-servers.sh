#!/bin/sh
# Installs the programs that tests and benches run: as root, by apt, without starting a service.
# Says nothing where all are there. Without root or apt it says what is missing: the tests that need
# it are then skipped aloud (or fail, with PINNER_REQUIRE_SERVERS=1).
set -eu

# program:package
wanted='docker-registry:docker-registry skopeo:skopeo podman:podman umoci:umoci buildah:buildah
    nginx:nginx-light containerd:containerd dockerd:docker.io wrk:wrk curl:curl
    htpasswd:apache2-utils zsh:zsh fish:fish
    rpmbuild:rpm dpkg-parsechangelog:dpkg-dev debootstrap:debootstrap shellcheck:shellcheck jq:jq
    strace:strace'

PATH="$PATH:/usr/sbin:/sbin"
missing=''
for pair in $wanted; do
    command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair##*:}"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "missing:$missing" >&2
    echo "tests that need them are skipped (as root on Debian, make installs them by apt)" >&2
    exit 0
fi

# Debian starts what it installs, unless policy-rc.d says 101; the tests start their own servers.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi

echo "installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >&2
# shellcheck disable=SC2086 # a list of packages
apt-get install -qq -y --no-install-recommends ca-certificates $missing >/dev/null
