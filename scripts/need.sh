# need.sh - sourced by the other scripts: install what is missing.
#
#   need COMMAND PACKAGE...
#
# If COMMAND fails, installs the Debian packages, as root; otherwise names them and exits.
need() {
    local command=$1
    shift
    if eval "$command" >/dev/null 2>&1; then return; fi
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "$(basename "$0"): please install: $*" >&2
        exit 1
    fi
    [ -n "${apt_updated:-}" ] || apt-get update -qq
    apt_updated=1
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null
}
