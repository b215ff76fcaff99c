# shellcheck shell=bash disable=SC2154,SC2059
# The checks of the servers that Heddle runs on. .ci/run sources this file; `exits` and `field` are its
# functions.

# An image with Debian's PostgreSQL, built here because CI may have no registry to pull from.
stand_in=heddle-stand-in:15
engine_pid=

# Starts Debian's container engine if none is running; `engine_stop` stops it at the end.
engine() {
  docker version >/dev/null 2>&1 && return
  command -v dockerd >/dev/null || {
    apt-get update -qq &&
      DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq --no-install-recommends docker.io iptables >/dev/null
  } || return
  docker version >/dev/null 2>&1 && return
  dockerd --userland-proxy=false >"$scratch/dockerd.log" 2>&1 &
  engine_pid=$!
  for _ in {1..300}; do
    docker version >/dev/null 2>&1 && return
    kill -0 "$engine_pid" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 20 "$scratch/dockerd.log"
  return 1
}

# Removes the image that `image` built, and stops the engine that `engine` started.
engine_stop() {
  [[ -z ${made_image:-} ]] || docker image rm --force "$stand_in" >/dev/null 2>&1
  [[ -z $engine_pid ]] || { kill "$engine_pid" 2>/dev/null && wait "$engine_pid" 2>/dev/null; }
  engine_pid='' made_image=''
}

image() {
  engine_had=$(engine_has) && made_image=yes || return
  .ci/stand-in-image "$stand_in" && docker image ls "$stand_in"
}

# The containers and volumes of the engine, which a check could leave behind.
engine_has() {
  docker ps --all --quiet --no-trunc && docker volume ls --quiet
}

engine_clean() {
  local now
  now=$(engine_has) || return
  [[ $now == "$engine_had" ]] || {
    echo "left: $now; before: $engine_had"
    return 1
  }
}

# crosswise FOUND REPLAYED: a counterexample that is found on one server replays on the other.
crosswise() {
  local reports=$scratch/crosswise file
  exits 1 npx heddle verify --seed 1 --mutant two-transaction-cancel \
    --postgres "$1" --report "$reports" || return
  file=$(field "$reports/report.json" '.counterexamples[0].file') || return
  exits 1 npx heddle replay "$file" --repeat 10 --postgres "$2"
}

# same_on CHOICE…: the same seed gives the same executions on each server, statement by statement. With
# two clients at most one waits, so no step wakes several backends, whose order Heddle controls on the
# embedded server only.
same_on() {
  local choice digest first=
  for choice; do
    # Random walks complete no pair, so the verdict is unknown.
    exits 4 npx heddle verify --seed 3 --pairs --strategy random --postgres "$choice" \
      --report "$scratch/same" || return
    digest=$(field "$scratch/same/report.json" .digest) || return
    printf '%s  %s\n' "$digest" "$choice"
    [[ $digest == "${first:=$digest}" ]] || return
  done
}

# version CHOICE: adds a row to the table: the tests that depend on the version of PostgreSQL most, a
# campaign, and a seeded bug.
table=
version_tests=(harness/proxy/wire-proxy harness/instrumentation/{gate-locks,row-gates,routine-gates}
  harness/footprints/footprints
  harness/execution/{locks,executor} src/{claim,constraints,contention})
version() {
  local report=$scratch/version.json reports=$scratch/version status=0
  local tested campaign server caught=caught verdict=green
  HEDDLE_TEST_POSTGRES=$1 timeout --kill-after=30 600 npm test -- --project pg \
    "${version_tests[@]}" --reporter=dot --reporter=json --outputFile.json="$report" || status=1
  tested="$(field "$report" .numPassedTests) of $(field "$report" .numTotalTests)"
  exits 0 npx heddle verify --seed 1 --runs 150 --postgres "$1" --report "$reports" >/dev/null ||
    status=1
  campaign=$(field "$reports/report.json" .verdict)
  server=$(field "$reports/report.json" .environment.postgres.version)
  exits 1 npx heddle verify --seed 1 --mutant insert-where-not-exists --postgres "$1" \
    --report "$reports" || status=1 caught=missed
  ((status == 0)) || verdict=RED
  table+="$server|${1%%:*}|$tested|$campaign, mutant $caught|$verdict"$'\n'
  return "$status"
}

version_table() {
  local row='%-8s | %-9s | %-10s | %-20s | %s\n' cells
  printf "\n$row" version provider tests campaign verdict
  while IFS='|' read -ra cells; do printf "$row" "${cells[@]}"; done <<<"${table%$'\n'}"
}

# timed NAME COMMAND…: prints the duration of a command.
timed() {
  local name=$1 start=$EPOCHREALTIME
  shift
  "$@" >/dev/null 2>&1 || { echo "failed: $*" && return 1; }
  node -p "'$name: ' + (${EPOCHREALTIME/,/.} - ${start/,/.}).toFixed(1) + ' s'"
}

# The time of a command with one execution, cold (an empty cache, no container) and warm.
starts() {
  local -x XDG_CACHE_HOME=$scratch/cold
  local one=(npx heddle verify --seed 1 --runs 1 --report "$scratch/one" --postgres)
  # The OS user that Postgres runs as needs access.
  mkdir -p "$XDG_CACHE_HOME" && chmod 755 "$scratch" "$XDG_CACHE_HOME" &&
    timed 'embedded, first start' "${one[@]}" embedded &&
    timed 'embedded, next start' "${one[@]}" embedded &&
    timed 'container, first start' "${one[@]}" "container:$stand_in" &&
    timed 'container, next start' "${one[@]}" "container:$stand_in" &&
    timed 'container, first start with --reuse' "${one[@]}" "container:$stand_in" --reuse &&
    timed 'container, next start with --reuse' "${one[@]}" "container:$stand_in" --reuse &&
    docker ps --all --quiet --filter label=heddle.reusable |
    xargs --no-run-if-empty docker rm --force --volumes >/dev/null
}

# The cost of a round trip through a socket and through a mapped port.
round_trip() {
  HEDDLE_POSTGRES_IMAGE=$stand_in npm run --silent bench -- socket --json
}
