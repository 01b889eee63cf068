#!/usr/bin/env bash
# Chromium for the browser tests: installed from Debian's packages where that is possible without asking anybody.
set -u
found() { [ -n "${CHROMIUM_PATH:-}" ] || command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || [ -d "/Applications/Google Chrome.app" ]; }

if [ "${1:-}" = "--say-if-missing" ]; then
  found || echo "Browser tests were SKIPPED: no Chromium here. Install chromium or set CHROMIUM_PATH, then run make test again."
  exit 0
fi
found && exit 0
command -v apt-get >/dev/null || exit 0
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null && sudo -n true 2>/dev/null || exit 0
  as_root="sudo -n"
fi
echo "Installing Debian's chromium for the browser tests ..."
export DEBIAN_FRONTEND=noninteractive
{ $as_root apt-get update -qq && $as_root apt-get install -y -qq chromium fonts-dejavu fonts-liberation; } >/dev/null 2>&1 || echo "Chromium could not be installed."
exit 0
