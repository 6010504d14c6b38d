#!/bin/sh
# Installs Debian's chromium and postgresql where they are missing and this user may; says so where not.
have_chromium() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
have_postgresql() { ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null || command -v initdb; }
missing=""
have_chromium >/dev/null || missing="$missing chromium"
have_postgresql >/dev/null || missing="$missing postgresql"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing$missing for the tests"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null && exit 0
fi
echo "The tests need$missing. Install it with your package manager, then run make test again." >&2
exit 1
