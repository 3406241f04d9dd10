#!/bin/sh
# A real PostgreSQL for the tests. Installed where the user may; otherwise said, and with CI=true a failure.
set -u
for name in /usr/lib/postgresql/*/bin/initdb; do
  [ -x "$name" ] && exit 0
done
command -v initdb >/dev/null 2>&1 && exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "Installing PostgreSQL for the database tests …"
  log=$(mktemp)
  # Each test run has a server of its own: the package is not to start one for the machine.
  if apt-get update -qq >"$log" 2>&1 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-common >>"$log" 2>&1 &&
    sed -i 's/^#\? *create_main_cluster *=.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf >>"$log" 2>&1 &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >>"$log" 2>&1; then
    rm -f "$log"
    exit 0
  fi
  tail -n 5 "$log"
fi
echo "No PostgreSQL: the tests with a real database are left out. To add it on Debian or Ubuntu: sudo apt-get install postgresql"
[ "${CI:-}" = true ] && exit 1
exit 0
