#!/bin/sh
# A real browser for the tests of the report page. Installed where the user may; otherwise said, and with CI=true a failure.
set -u
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null 2>&1 && exit 0
done
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "Installing Chromium for the browser tests …"
  log=$(mktemp)
  if apt-get update -qq >"$log" 2>&1 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >>"$log" 2>&1; then
    rm -f "$log"
    exit 0
  fi
  tail -n 5 "$log"
fi
echo "No Chromium: the browser tests are left out. To add it on Debian or Ubuntu: sudo apt-get install chromium"
[ "${CI:-}" = true ] && exit 1
exit 0
