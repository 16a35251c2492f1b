# nginx in front of the local API server, for the scripts that source this:
# tests/http2 and tests/bench/one.
PATH=$PATH:/usr/sbin:/sbin
nginx='' # its process, while there is one

# try_nginx as below, once. Ports below those that systems give to outgoing
# connections. nginx writes its pid when it listens, and ends when it cannot.
try_nginx() {
  # shellcheck disable=SC2046
  set -- "$@" $(od -An -N4 -tu2 /dev/urandom)
  h2=$((12000 + $7 % 10000)) h1=$((22000 + $8 % 10000))
  rm -f "$2/nginx.pid" "$2/access"
  sed "s|DIR|$2|; s|CERTIFICATE|$3|; s|KEY|$4|; s|API_PORT|$RTK_TEST_PORT|
    s|REQUESTS_MAX|$5|; s|STREAMS_MAX|$6|
    s|PORT_H2|$h2|; s|PORT_H1|$h1|" "$1" >"$2/nginx.conf"
  nginx -p "$2" -c "$2/nginx.conf" 2>"$2/nginx.stderr" &
  nginx=$!
  until [ -s "$2/nginx.pid" ]; do
    kill -0 $nginx 2>/dev/null || return 1
    sleep 0.02
  done
}

# start_nginx CONF DIR CERTIFICATE KEY REQUESTS_MAX STREAMS_MAX: CONF is this
# directory's nginx.conf, the API server is at RTK_TEST_PORT. Sets nginx, and the
# ports h2 and h1, of HTTP/2 and HTTP/1.1; tries other ports when somebody else
# has one of these. DIR/access: a line for each request, complete when nginx has
# ended.
start_nginx() {
  for attempt in 1 2 3 4 5; do
    try_nginx "$@" && return
  done
  nginx=''
  echo "nginx does not start: $(cat "$2/nginx.stderr")" >&2
  return 1
}

end_nginx() {
  [ -z "$nginx" ] || { kill "$nginx" && wait "$nginx"; } 2>/dev/null
  nginx=''
}
