# An API server beside a script, and how the script says what it found, for those
# that source this after common.sh: tests/quota, tests/sync, tests/http2, and with
# servers of their own tests/reports and tests/dashboard. The current directory is
# their own.
failed=0
token=local-api-token-0123456789abcdefghijklmn
category=${0##*/}
export CLOUDFLARE_API_TOKEN="$token"
export CLOUDFLARE_ACCOUNT_ID=ACCOUNT REALTIMEKIT_APP_ID=APP

result() { # NAME; ./why says what was wrong, if anything
  if [ ! -s why ]; then
    echo "ok $category: $1"
  else
    echo "not ok $category: $1"
    cat why
    failed=1
  fi
  : >why
}

# same WHAT EXPECTED GOT: notes a difference in ./why
same() {
  [ "$2" = "$3" ] ||
    printf '%s: expected %s; got %s\n' "$1" "$2" "$3" >>why
}

# serve_api API-OPTION…: another server, which stands by until its stdin ends; its
# log is ./log.
mkfifo keep port && : >why
serve_api() {
  "$api" --log log --token "$token" "$@" <keep >port &
  server=$!
  exec 9>keep
  read -r _ port_number <port
  export CLOUDFLARE_BASE_URL="http://127.0.0.1:$port_number/client/v4"
}

end_api() {
  exec 9>&-
  wait $server
}

# A limit against hanging, and no test: nothing takes nearly as long.
sql() { limit "$HANGS_S" $shell :memory: -cmd '.load ./rtk' "$@" 2>&1; } # SQL

# The sessions s1, s2 … s9: how many came, and whether all figures are right.
sum() { # FIRST LAST
  sql "WITH RECURSIVE c(i) AS (
      SELECT $1 UNION ALL SELECT i + 1 FROM c WHERE i < $2)
    SELECT count(*), sum(viewer_seconds) = (
        SELECT sum(i * CASE WHEN i % 2 THEN 12.375 ELSE 12 END) FROM c)
      FROM rtk_livestream_session
     WHERE session_id IN (SELECT 's' || i FROM c)"
}

count() { grep -c "$1" log; } # PATTERN: lines of the log

# until_true COMMAND…: waits for something that is bound to happen.
until_true() {
  looks=0
  until "$@" 2>/dev/null; do
    looks=$((looks + 1)) && sleep 0.02
    [ $looks -lt $((HANGS_S * 50)) ] || return 1
  done
}
