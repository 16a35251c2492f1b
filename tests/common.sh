# What the test scripts share; each sources it first.
#
# What is tested comes from the environment (the Makefile sets it):
#   RTK_SO   the extension                        ./rtk.so
#   BUILD    where the other programs are         ./build
#   SQLITE3  the shell, as a command line         sqlite3
#   PRELOAD  a library that the shell needs first (a sanitizer's)
#   JOBS     how many tests run at a time         4
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
if [ -z "${RTK_SO-}" ]; then
  RTK_SO=$root/rtk.so
  [ -e "$RTK_SO" ] || RTK_SO=$root/rtk.dylib
fi
: "${BUILD:=$root/build}" "${SQLITE3:=sqlite3}" "${PRELOAD:=}" "${JOBS:=4}"
api=$BUILD/api
export API_DATA=numbers # the pages and the demo have the other set
export root RTK_SO BUILD SQLITE3 PRELOAD JOBS LC_ALL=C

# Nothing of the user's own settings reaches a test.
for name in $(env | sed -n 's/^\([A-Za-z_][A-Za-z_0-9]*\)=.*/\1/p'); do
  case $name in
    RTK_SO) ;;
    RTK_TEST_SEED | RTK_TEST_QUERIES) ;;
    RTK_* | CLOUDFLARE_* | REALTIMEKIT_*) unset "$name" ;;
    *_PROXY | *_proxy | CURL_CA_BUNDLE | SSL_CERT_*) unset "$name" ;;
  esac
done

have() { command -v "$1" >/dev/null 2>&1; }

# What takes so many seconds has come to a standstill. No test is to come near it,
# however slow or busy the machine is.
: "${HANGS_S:=600}"
export HANGS_S

# limit SECONDS COMMAND…: ends the command, exit code 124, when it takes longer.
limit() {
  seconds=$1 && shift
  if have timeout; then timeout -k 5 "$seconds" "$@"; else "$@"; fi
}

# The shell as the words of a command line. Its output is line by line, so that
# stdout and stderr come in the order of writing when both go to one file.
shell="env LD_PRELOAD=$PRELOAD $(have stdbuf && echo stdbuf -oL) \
$SQLITE3 -batch -init /dev/null"

# The shell's version as a number, 3040001 for 3.40.1.
number_of() { # VERSION
  echo "$1" | awk -F '[. ]' '{ printf "%d", $1 * 1000000 + $2 * 1000 + $3 }'
}
[ -n "${sqlite_number-}" ] ||
  sqlite_number=$(number_of "$($SQLITE3 --version 2>/dev/null)")
export sqlite_number
older_than() { [ "$sqlite_number" -lt "$(number_of "$1")" ]; } # VERSION

# Shells word an error each in their own way: before 3.38 every one is `Error:
# near line 2:`; later there are Parse errors and Runtime errors, of which newer
# ones (3.52) call the second kind `Error near line 2:`. What a test expects and
# what came out of the shell both go through here.
as_any_shell() {
  if older_than 3.38; then kinds="Runtime|Parse"; else kinds=Runtime; fi
  sed -E "s/^Error: near line/Error near line/
    s/^($kinds) error( near line [0-9]+)?:/Error\2:/"
}

# A directory as the README's reader has it: the extension is ./rtk.
working_directory() { # DIR
  mkdir -p "$1" && ln -s "$RTK_SO" "$1/${RTK_SO##*/}" && ln -s "$root/sql" "$1"
}

# What differs from run to run: ports, times, and the time to go on after.
without_chance() {
  sed -E 's/(127\.0\.0\.1|localhost|\[::1\]):[0-9]{4,5}/\1:PORT/g
    s/(go on after|until) [0-9-]{10}T[0-9:]{8}Z/\1 TIME/g
    s/answered in [0-9]+ ms/answered in N ms/
    s/clock here says [0-9-]{10} [0-9:]{5}/clock here says TIME/'
}

# A place for files that goes away with the script; `--one` calls share it.
if [ -z "${tmp-}" ]; then
  tmp=$(mktemp -d) && export tmp
  trap 'rm -rf "$tmp"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
fi
export HOME="$tmp"
